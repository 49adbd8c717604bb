"""The inbox process: `python -m cli.inbox --directory … --smtp-port … --http-port …`. Started by `dauerlauf up`."""

import argparse
from pathlib import Path

import uvicorn

from cli.inbox.app import create_inbox
from cli.inbox.store import MailStore


def main() -> None:
    """Serves until SIGTERM or SIGINT; ends with an exit code other than 0 if a port is taken."""
    parser = argparse.ArgumentParser(prog="python -m cli.inbox", description="An SMTP inbox with a web page.")
    parser.add_argument("--directory", type=Path, required=True, help="where the mails are kept")
    parser.add_argument("--smtp-port", type=int, required=True, help="port that takes mails, on 127.0.0.1")
    parser.add_argument("--http-port", type=int, required=True, help="port of the page, on 127.0.0.1")
    options = parser.parse_args()
    app = create_inbox(MailStore(options.directory), smtp_port=options.smtp_port)
    uvicorn.run(app, host="127.0.0.1", port=options.http_port, access_log=False, timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main()
