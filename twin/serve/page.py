"""The page that shows a world: textual-serve's terminal, with everything served from here.

textual-serve's own page fetches a font from elsewhere and runs inline scripts; this one does neither, and its
content security policy keeps the browser from doing so for whatever reason.
"""

from __future__ import annotations

from html import escape

HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/static/xterm.css">
<link rel="stylesheet" href="{base}/static/page.css">
<script src="{base}/static/textual.js"></script>
<script src="{base}/static/page.js"></script>
</head>
<body>
<div class="note opening"><p>{title}</p><p>Your own copy of the factory is being built ...</p></div>
<div class="note closed"><p>{title}</p><p>This session has ended. Its factory is gone.</p>
<button type="button" id="again">Begin another</button></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{font_size}"></div>
</body>
</html>
"""

FULL_HTML = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/static/page.css">
</head>
<body class="-full">
<div class="note full"><p>{title}</p><p>All {sessions} places are taken. Please come back later.</p></div>
</body>
</html>
"""

CSS = """@font-face { font-family: "Roboto Mono"; src: url("RobotoMono.ttf") format("truetype");
  font-weight: 100 700; font-style: normal; }
@font-face { font-family: "Roboto Mono"; src: url("RobotoMono-Italic.ttf") format("truetype");
  font-weight: 100 700; font-style: italic; }
html, body { margin: 0; height: 100%; overflow: hidden; background: #101418; }
.textual-terminal { position: absolute; inset: 0; opacity: 0; }
body.-first-byte .textual-terminal { opacity: 1; }
.note { position: absolute; inset: 0; display: none; flex-direction: column; align-items: center;
  justify-content: center; z-index: 10; background: #101418; color: #d8dee4; font-size: 16px;
  font-family: "Roboto Mono", Menlo, "DejaVu Sans Mono", monospace; }
.opening, .full { display: flex; }
body.-first-byte .opening, body.-closed .opening { display: none; }
body.-closed .closed { display: flex; }
.note button { font: inherit; margin-top: 16px; padding: 8px 24px; border: 1px solid #5c6773; color: inherit;
  background: #1c232b; cursor: pointer; }
.note button:hover { background: #2a333d; }
"""

#: textual.js begins when the page is loaded; the cells are measured in the font, so that must be there before;
#: keys are heard as soon as there is something to see, without a click
JS = """"use strict";
const begin = window.onload;
window.onload = async (event) => {
  document.getElementById("again").addEventListener("click", () => window.location.reload());
  const fonts = ["16px", "bold 16px", "italic 16px"].map((style) => document.fonts.load(`${style} "Roboto Mono"`));
  await Promise.race([Promise.allSettled(fonts), new Promise((done) => setTimeout(done, 3000))]);
  const seen = new MutationObserver(() => {
    const keys = document.querySelector("textarea");
    if (keys !== null && document.body.classList.contains("-first-byte")) {
      seen.disconnect();
      keys.focus();
    }
  });
  seen.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  begin(event);
};
"""


def page(title: str, base: str, socket: str, font_size: int) -> str:
    """Return the page with the terminal."""
    return HTML.format(title=escape(title), base=escape(base), socket=escape(socket), font_size=font_size)


def full_page(title: str, base: str, sessions: int) -> str:
    """Return the page of a server that has no place left."""
    return FULL_HTML.format(title=escape(title), base=escape(base), sessions=sessions)


def policy(host: str) -> str:
    """Return the content security policy: nothing but what this server serves under ``host``."""
    return (f"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
            f"img-src 'self' data:; connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; "
            f"frame-ancestors 'none'")
