() => {
  // Links of the foot to what stands in another tab.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("#foot a");
    const gradios = document.querySelector("footer .show-api");
    if (link?.search === "?view=api" && gradios) {
      event.preventDefault();
      gradios.click(); // without leaving what is shown
    }
    if (!link?.hash) return;
    event.preventDefault();
    [...document.querySelectorAll("#tabs button[role=tab]")]
      .find((tab) => tab.textContent.trim() === "About")?.click();
    setTimeout(() => document.querySelector(link.hash)?.scrollIntoView(), 100);
  });
}
