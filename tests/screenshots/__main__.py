"""`python -m tests.screenshots [FOLDER]`: fill a city, start its console, take every picture."""

import asyncio
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from hotline.database import EmbeddedPostgres, connected, migrate, pooled
from hotline.services import utc_now
from telephony.sealing import KeyFile
from tests.hotline.console.app.seats import WEB, chromium
from tests.hotline.console.browser import installed
from tests.hotline.console.conftest import configured, opened, services_on
from tests.screenshots.shoot import shoot
from tests.screenshots.town import filled


async def taken(program: str, work: Path, folder: Path) -> list[str]:
    """The pictures of a city that lives in a work folder; what could not be shown is returned."""
    server = EmbeddedPostgres(work / "postgres")
    dsn = await asyncio.to_thread(server.start)
    try:
        async with connected(dsn) as conn:
            await migrate(conn)
        async with pooled(dsn, size=4, keys=KeyFile(work / "identity.keys")) as pool:
            services = services_on(configured(work), pool, dsn, utc_now)
            site = await opened(services)
            listening = asyncio.create_task(services.feed.run())
            city = await filled(site, services)
            async with chromium(program, work) as page:
                troubles = await shoot(page, site, city, folder)
            services.feed.close()
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            await site.close()
    finally:
        await asyncio.to_thread(server.stop)
    return troubles


def main() -> int:
    """Take them, say where they are, and fail where a page was not whole."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".cache/screenshots")
    program = installed()
    if program is None:
        sys.stderr.write("No Chromium is here: install it, or name one by HOTLINE_CHROMIUM.\n")
        return 1
    if not (WEB / "dist" / "index.html").exists():
        sys.stderr.write("The console is not built: run make setup.\n")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="hotline-shots-", ignore_cleanup_errors=True) as work:
        troubles = asyncio.run(taken(program, Path(work), folder))
    for trouble in troubles:
        sys.stderr.write(f"{trouble}\n")
    sys.stdout.write(f"{len(list(folder.iterdir()))} pictures in {folder}\n")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
