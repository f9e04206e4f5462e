() => {
  // Links to what stands in another tab, or folded.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#foot a, a[href='#model-card']");
    const gradios = document.querySelector("footer .show-api");
    if (link?.search === "?view=api" && gradios) {
      event.preventDefault();
      gradios.click(); // without leaving what is shown
    }
    if (!link?.hash) return;
    event.preventDefault();
    [...document.querySelectorAll("#tabs button[role=tab]")]
      .find((tab) => tab.textContent.trim() === "About")?.click();
    const target = () => document.querySelector(link.hash); // when its tab is shown, then unfolded
    setTimeout(() => target()?.querySelector(".label-wrap:not(.open)")?.click(), 100);
    setTimeout(() => target()?.scrollIntoView(), 200);
  });
}
