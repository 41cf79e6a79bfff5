// The line to the server: says when it is lost, locks the page, and comes back from the page's address with the server.
(() => {
  const EVERY = 600, PATIENCE = 1200; // milliseconds between questions to the server, and for an answer
  let bar = null, closed = false, leaving = false;
  const sockets = new WeakSet();

  addEventListener("pagehide", () => (leaving = true));
  addEventListener("pageshow", () => (leaving = false));

  // The framework makes its socket out of sight, so it is met where it sends.
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (...message) {
    if (!sockets.has(this)) this.addEventListener("close", () => ((closed = true), lost()));
    sockets.add(this);
    return send.apply(this, message);
  };

  // The framework's own words on a lost line cover the page and fail.
  const shell = document.getElementById("vue-app-template");
  shell.innerHTML = shell.innerHTML.replace(/<v-(overlay|alert)\b[\s\S]*?<\/v-\1>/g, "");

  async function answers() {
    try {
      return (await fetch(solara.rootPath + "/alive", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) })).ok;
    } catch {
      return false;
    }
  }

  function lost() {
    if (bar || leaving) return;
    bar = document.createElement("p");
    bar.className = "line-lost";
    bar.setAttribute("role", "alert");
    bar.textContent = "The line to the server is lost. Nothing is: this page comes back as it is when the server does.";
    document.body.prepend(bar);
    document.getElementById("app").inert = true;
    const head = decoupling.race && decoupling.race.head;
    if (head && head.link) history.replaceState(history.state, "", decoupling.place(head.link));
  }

  function found() {
    bar.remove();
    bar = null;
    document.getElementById("app").inert = false;
  }

  async function ask() {
    const answered = await answers();
    if (!answered) lost();
    // After a slow answer the line may hold; once it was closed, the server may be another and has to make the page.
    else if (bar && closed) return location.reload();
    else if (bar) found();
    setTimeout(ask, EVERY);
  }
  setTimeout(ask, EVERY);
})();
