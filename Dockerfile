# One image for API, worker and migrations. Build: docker build -t dauerlauf .
# Any base with Python 3.11 or newer will do: --build-arg BASE=...
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /source
COPY requirements-production.lock pyproject.toml README.md LICENSE alembic.ini worker.py ./
COPY activities activities
COPY api api
COPY cli cli
COPY crm crm
COPY intake intake
COPY journeys journeys
COPY kit kit
COPY messaging messaging
COPY migrations migrations
COPY workflows workflows
RUN python3 -m venv /opt/dauerlauf \
 && /opt/dauerlauf/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements-production.lock \
 && /opt/dauerlauf/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
COPY --from=build /opt/dauerlauf /opt/dauerlauf
RUN useradd --system --create-home --uid 10001 dauerlauf
USER dauerlauf
WORKDIR /home/dauerlauf
ENV PATH=/opt/dauerlauf/bin:$PATH PYTHONUNBUFFERED=1 DAUERLAUF_LOG_FORMAT=json DAUERLAUF_API_HOST=0.0.0.0
EXPOSE 8000
CMD ["dauerlauf", "api"]
