"""The server behind `groundup learn`: the built site, kernels for its live cells, and nobody else let in.

It executes code. So it listens on this machine only; every request must name this address as its Host, which a
page whose name was rebound to 127.0.0.1 does not; and what executes code must come from the site itself (Origin)
and know the token that only the opened address carries. Whoever forwards the port under another name says so.
"""

import asyncio
import contextlib
import html
import json
import re
import secrets
import socket
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from groundup.errors import UserError
from groundup.lessons import find_lesson
from groundup.reader import grading
from groundup.reader.jupyter import Lab
from groundup.reader.sessions import AT_WORK, Job, Listener, Sessions

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
HELLO_SECONDS = 5.0
#: A name and perhaps a port, nothing else.
HOST_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::\d{1,5})?")
#: Ports after the wanted one that are tried before any free one is taken.
TRIED = 20


#: Stands in place of a page that is still to be made, and asks for it again: a refresh without a script would end at
#: the address that learn opens, for its #token makes it a link within the page.
MAKING = """<!doctype html><html lang="en"><meta charset="utf-8"><script src="/again.js"></script>
<meta name="color-scheme" content="light dark"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>groundup</title><body style="font: 1.1rem/1.6 serif; max-width: 36rem; margin: 20vh auto; padding: 1rem">
<main><h1 style="font-size: 1.4rem">This page is being made</h1>
<p>It comes by itself in a moment: pages are made once, when groundup is new or has changed.</p><pre>{told}</pre></main>
"""
AGAIN = "setTimeout(() => location.reload(), 500);\n"


class Pages:
    """The pages that are open in dev mode, as far as the server knows them.

    reading  the folder of the lesson that was opened last, "" before the first
    trouble  why what was saved last cannot be shown, "" if it is
    making   pages that are not there are still to be made
    """

    def __init__(self) -> None:
        self.reading = self.trouble = ""
        self.making = False
        self.open: set[asyncio.Queue[str]] = set()

    def tell(self, message: str) -> None:
        """Pages know "reload", which all do, "outputs FOLDER", after which those of that lesson do, and "trouble"."""
        for queue in self.open:
            queue.put_nowait(message)

    def reload(self) -> None:
        """Make every open page reload."""
        self.trouble = ""
        self.tell("reload")

    def fail(self, why: str) -> None:
        """Show on every page, open or opened later, why it is older than what was saved."""
        self.trouble = f"trouble {json.dumps(why)}"
        self.tell(self.trouble)


#: Gets the open pages, and goes on as long as the server: to watch files, or to run what has no outputs yet.
Dev = Callable[[Pages], Coroutine[Any, Any, None]]


class Guard:
    """Refuses requests that do not name this address or come from another site; adds the headers of safety."""

    def __init__(self, app: ASGIApp, port: int, allowed: Sequence[str] = ()) -> None:
        """``allowed`` are other names for this address, each with its port or good for any."""
        self.app = app
        self.own = [f"{name}:{port}" for name in NAMES]
        self.hosts = {*self.own, *allowed}
        anywhere = [name if ":" in name else f"{name}:*" for name in allowed]
        sockets = " ".join(
            [f"ws://{name}" for name in self.own] + [f"{kind}://{name}" for name in anywhere for kind in ("ws", "wss")]
        )
        policy = {
            "default-src": "'none'",
            "script-src": "'self' 'wasm-unsafe-eval'",
            "style-src": "'self' 'unsafe-inline'",
            "img-src": "'self' data: blob:",
            "font-src": "'self'",
            "connect-src": f"'self' {sockets}",
            "worker-src": "'self' blob:",
            "manifest-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }
        self.headers = {
            "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        refusal = self.refusal(scope)
        if not refusal:
            await self.app(scope, receive, send_safely)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close(4403)  # not accepted yet: becomes a plain 403
        else:
            await PlainTextResponse(refusal + "\n", 403)(scope, receive, send_safely)

    def refusal(self, scope: Scope) -> str:
        """Why the request is refused, or nothing."""
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or not self.knows(hosts[0]):
            name = hosts[0] if len(hosts) == 1 and HOST_NAME.fullmatch(hosts[0]) else "NAME"
            return (
                f"The reader runs code, so it answers only to its own address, {' or '.join(sorted(self.hosts))}.\n"
                "Do you forward its port and open it under this other name? Then start it with that name:\n\n"
                f"    groundup learn --allow-host {name}"
            )
        reading = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if not reading and not (len(origins) == 1 and self.is_own(origins[0])):
            return "Only the pages of this server may do that."
        return ""

    def knows(self, host: str) -> bool:
        """Whether this is a name of this server, as a browser writes it: with the port, if it is not 80 or 443."""
        return host in self.hosts or (HOST_NAME.fullmatch(host) is not None and host.partition(":")[0] in self.hosts)

    def is_own(self, origin: str) -> bool:
        """Whether a page of this server says that it comes from there; a forwarded one may come by https."""
        scheme, _, host = origin.partition("://")
        return self.knows(host) and (scheme == "http" or (scheme == "https" and host not in self.own))


class Site(StaticFiles):
    """The built pages. Names of assets change with their content, so those may be kept for ever."""

    def __init__(self, site: Path, pages: Pages) -> None:
        super().__init__(directory=site, html=True)
        self.pages = pages

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; for one that is still to be made a page that asks again."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or not self.pages.making:
                raise
            response = Response(status_code=404)
        if response.status_code != 404 or not self.pages.making:
            return response
        parts = Path(path).parts
        if parts[:1] == ("lessons",) and len(parts) > 1:
            self.pages.reading = parts[1]
        told = html.escape(self.pages.trouble and json.loads(self.pages.trouble.removeprefix("trouble ")))
        return HTMLResponse(MAKING.format(told=told), 503, {"Retry-After": "1", "Cache-Control": "no-store"})

    def file_response(self, full_path: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(full_path, *args, **kwargs)
        inside = Path(full_path).relative_to(Path(str(self.directory)).resolve())
        if inside.parts[0] == "lessons" and inside.name == "index.html":
            self.pages.reading = inside.parts[1]
        kept = inside.parts[0] == "assets"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response


def make_app(
    site: Path,
    token: str,
    port: int,
    sessions: Sessions | None = None,
    dev: Dev | None = None,
    hello_seconds: float = HELLO_SECONDS,
    allowed: Sequence[str] = (),
) -> Starlette:
    """The application that serves ``site`` on ``port``. Its ``state.reload()`` makes the open pages reload.

    ``state.stopping()`` may be replaced by a function that tells when streams without an end must end.
    """
    sessions = sessions or Sessions()
    lab = Lab()
    pages = Pages()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(sessions.end_idle())]
        if dev is not None:
            tasks.append(asyncio.create_task(dev(pages)))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(sessions.close(), lab.end())

    async def runtime(request: Request) -> Response:
        return JSONResponse({"kind": "kernel", "dev": dev is not None}, headers={"Cache-Control": "no-cache"})

    async def events(request: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            messages: asyncio.Queue[str] = asyncio.Queue()
            pages.open.add(messages)
            try:
                yield f"data: {pages.trouble}\n\n" if pages.trouble else ": here\n\n"
                while not app.state.stopping():
                    with contextlib.suppress(TimeoutError):
                        yield f"data: {await asyncio.wait_for(messages.get(), 0.5)}\n\n"
            finally:
                pages.open.discard(messages)

        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-cache"})

    async def again(request: Request) -> Response:
        return Response(AGAIN, media_type="text/javascript", headers={"Cache-Control": "no-cache"})

    async def open_lab(request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get("x-groundup-token", "").encode(), token.encode()):
            return JSONResponse({"error": "The token is missing or wrong."}, 401)
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return JSONResponse({"error": "The request must be JSON."}, 415)
        try:
            lesson = find_lesson(json.loads(await request.body())["lesson"]).folder.name
        except (ValueError, TypeError, KeyError, AttributeError):
            return JSONResponse({"error": 'The request must be {"lesson": its folder}.'}, 400)
        except UserError as error:
            return JSONResponse({"error": str(error)}, 404)
        try:
            return JSONResponse({"url": await lab.address(lesson)})
        except UserError as error:
            return JSONResponse({"error": str(error)}, 501)

    async def kernel(websocket: WebSocket) -> None:
        await websocket.accept()
        hello = await _hello(websocket, token, hello_seconds)
        if hello is None:
            await _close(websocket, 4401)
            return
        await _converse(websocket, sessions, hello)

    routes = [
        Route("/runtime.json", runtime),
        Route("/api/lab", open_lab, methods=["POST"]),
        WebSocketRoute("/kernel", kernel),
        *([Route("/dev/events", events), Route("/again.js", again)] if dev is not None else []),
        Mount("/", Site(site, pages)),
    ]
    # The guard stands before everything else.
    middleware = [
        Middleware(Guard, port=port, allowed=allowed),
        Middleware(GZipMiddleware, minimum_size=1000, compresslevel=9),
    ]
    app = Starlette(routes=routes, middleware=middleware, lifespan=lifespan)
    app.state.reload = pages.reload
    app.state.stopping = lambda: False
    return app


async def _hello(websocket: WebSocket, token: str, seconds: float) -> str | None:
    """The lesson of a page that knows the token; None for any other."""
    try:
        message = json.loads(await asyncio.wait_for(websocket.receive_text(), seconds))
        said, lesson = message["token"], message["lesson"]
        known = message["type"] == "hello" and secrets.compare_digest(said.encode(), token.encode())
        return lesson if known and isinstance(lesson, str) else None
    except (TimeoutError, ValueError, TypeError, KeyError, AttributeError, WebSocketDisconnect):
        return None


async def _close(websocket: WebSocket, code: int) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone already
        await websocket.close(code)


async def _converse(websocket: WebSocket, sessions: Sessions, lesson: str) -> None:
    """Do what a page asks, and tell it what comes of it, until it goes. What runs goes on without it."""
    outbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    listener = Listener(outbox.put_nowait)
    tell = listener.tell

    async def write() -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            while True:
                await websocket.send_text(json.dumps(await outbox.get()))

    session = sessions.session(lesson)
    session.listeners.add(listener)
    tell({"type": "status", "state": "ready", "text": ""})
    if session.busy:
        tell({"type": "status", "state": "busy", "text": AT_WORK})
    writer = asyncio.create_task(write())
    desk = grading.Desk(tell)
    doing: set[asyncio.Task[None]] = set()

    def begin(work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        doing.add(task)
        task.add_done_callback(doing.discard)

    async def answer(ask: int, *question: str) -> None:
        tell({"type": "answer", "ask": ask, "found": await session.answer(*question)})

    try:
        while True:
            try:
                message = json.loads(await websocket.receive_text())
                kind = message["type"]
                job = _job(message, listener) if kind == "run" else None
                question = _question(message) if kind in ("complete", "describe") else None
                if kind in grading.KINDS:
                    desk.hear(message)
            except (ValueError, TypeError, KeyError):
                tell({"type": "status", "state": "failed", "text": "The page sent what this server does not know."})
                continue
            if job:
                session.submit(job)
            elif question:
                begin(answer(message["ask"], *question))
            elif kind in ("interrupt", "restart"):  # what is to run is dropped now; the kernel may take its time
                begin(session.interrupt(listener) if kind == "interrupt" else session.restart())
    except WebSocketDisconnect:
        pass
    finally:
        listener.here = False
        session.listeners.discard(listener)
        desk.leave()
        writer.cancel()


def _job(message: dict[str, Any], listener: Listener) -> Job:
    """A run as a page asks for it. Raises ValueError, TypeError or KeyError if it is not one."""
    cells = [(cell["id"], cell["source"]) for cell in message["cells"]]
    texts = [message["target"], *(text for cell in cells for text in cell)]
    if not all(isinstance(text, str) for text in texts) or message["target"] not in dict(cells):
        raise ValueError
    if message["track"] not in ("numpy", "torch") or not isinstance(message["run"], int):
        raise ValueError
    return Job(message["run"], message["track"], cells, message["target"], listener)


def _question(message: dict[str, Any]) -> tuple[str, str, str]:
    """What a page wants to know of a name. Raises ValueError or KeyError if it is not a question."""
    kind, track, words = message["type"], message["track"], message["words"]
    if track not in ("numpy", "torch") or not isinstance(words, str) or len(words) > 200:
        raise ValueError
    if not isinstance(message["ask"], int):
        raise ValueError
    return kind, track, words


class Server(uvicorn.Server):
    """Uvicorn's, with an end for connections that are accepted while it ends.

    A browser opens some ahead of its requests and holds them for minutes: those that Uvicorn, which tells all once,
    has not seen yet would keep it from ending.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        ending = asyncio.create_task(super().shutdown(sockets))
        while not ending.done():
            await asyncio.wait([ending], timeout=0.1)
            for connection in list(self.server_state.connections):
                if not connection.transport.is_closing():
                    connection.shutdown()
        await ending


def listen(port: int) -> socket.socket:
    """A socket on this machine's own address: on the wanted port, one of the next, or any."""
    for wanted in (*range(port, min(port + TRIED, 65536)), 0):
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((HOST, wanted))
            one.listen(128)
            return one
        except OSError:
            one.close()
    raise UserError("No port is free on 127.0.0.1.")


def serve(
    site: Path,
    port: int,
    browser: bool,
    page: str,
    say: Callable[[str], None],
    dev: Dev | None = None,
    allowed: Sequence[str] = (),
) -> None:
    """Serve the site until Ctrl-C; opens ``page`` (a path in the site) in the browser if asked.

    ``allowed`` are names under which a forwarded port is opened elsewhere.
    """
    for name in allowed:
        if not HOST_NAME.fullmatch(name):
            raise UserError(f"--allow-host is the name in the browser's address, such as box:9000, not {name!r}.")
    one = listen(port)
    port = one.getsockname()[1]
    token = secrets.token_urlsafe(32)
    app = make_app(site, token, port, dev=dev, allowed=[name.lower() for name in allowed])
    # Pings would end a connection whose page the browser has put to sleep.
    config = uvicorn.Config(
        app, log_level="warning", server_header=False, ws="websockets-sansio", ws_ping_interval=None
    )
    server = Server(config)
    app.state.stopping = lambda: server.should_exit
    address = f"http://{HOST}:{port}/{page}#token={token}"
    say(f"The reader is at {address}\nThe address is the key to run code here: keep it to yourself. Ctrl-C ends it.")
    for name in allowed:
        say(f"Forwarded as {name}: open http://{name}/{page}#token={token} there.")
    if browser:  # in a thread, for a browser in the terminal returns only when it is closed
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[one])
