// What is set, in the page's address, so that a link asks for the same.

import { writeAddress } from "../address.js";

/** What the address asks for, as far as there is such a thing. */
export function requestIn(address, { examples, sides, networks, paintings, engines }) {
  const among = (values, value) => (values.includes(value) ? value : undefined);
  const names = address.get("networks")?.split(",") ?? [];
  const known = [...networks, ...paintings.map(([name]) => name)];
  const chosen = known.filter((name) => names.includes(name));
  const strength = Math.min(Math.max(Number(address.get("strength")) || 0, 0), 100);
  const found = {
    example: among(examples.map(([name]) => name), address.get("example")),
    side: among(sides, Number(address.get("size"))),
    networks: chosen.length ? chosen : undefined,
    engine: among(engines.map(([, name]) => name), address.get("engine")),
    strength: address.has("strength") ? strength : undefined,
    keep_colours: address.has("colours") || undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
}

/** What is as at first, and a photo of the visitor's, are left out. */
export function noteRequest(request, first) {
  const changed = (name, value = request[name]) => (`${request[name]}` === `${first[name]}` ? null : value);
  writeAddress({
    example: request.photo ? null : changed("example"),
    size: changed("side"),
    networks: changed("networks", request.networks.join()),
    engine: changed("engine"),
    strength: changed("strength"),
    colours: changed("keep_colours", 1),
  });
}
