// Boxes that scroll sideways at this width can be reached, and scrolled, from the keyboard.

function reach() {
  for (const box of document.querySelectorAll(".statement, .facts")) {
    if (box.scrollWidth > box.clientWidth) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.className === "facts" ? "Table that scrolls sideways" : "Formula that scrolls sideways");
    } else if (box.hasAttribute("tabindex")) {
      ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  }
}

addEventListener("resize", reach);
document.addEventListener("toggle", reach, true);
reach();
