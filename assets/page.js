() => {
  // Gradio gives the example pictures no names; a screen reader needs them.
  const name = () => {
    const pictures = document.querySelectorAll("#examples button img");
    for (const picture of pictures) {
      const file = decodeURIComponent(picture.src).split("/").at(-1).split(".")[0];
      picture.alt = `example: ${file}`;
    }
    if (!pictures.length) setTimeout(name, 100);
  };
  name();
}
