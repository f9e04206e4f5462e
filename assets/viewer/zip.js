// Files in one ZIP, stored as they are: PNGs hardly become smaller. The format: PKWARE's APPNOTE.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  for (let bit = 0; bit < 8; bit += 1) byte = byte & 1 ? 0xedb88320 ^ (byte >>> 1) : byte >>> 1;
  return byte;
});

/** CRC-32, as PNG has it, too. */
export function checksum(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Numbers of 2 or 4 bytes, [value, bytes] each, the lowest byte first. */
const numbers = (...fields) => Uint8Array.from(
  fields.flatMap(([value, count]) => Array.from({ length: count }, (_, byte) => (value >>> (8 * byte)) & 255)));

const FIRST_DAY = (1 << 5) | 1; // 1980-01-01, where the format's dates begin: when it was made is left out

/** `files` are File objects of less than 4 GB together. */
export async function zip(files) {
  const [parts, directory] = [[], []];
  let offset = 0;
  for (const file of files) {
    const name = new TextEncoder().encode(file.name);
    const crc = checksum(new Uint8Array(await file.arrayBuffer()));
    const about = [ // version 2.0, names in UTF-8, stored
      [20, 2], [0x0800, 2], [0, 2], [0, 2], [FIRST_DAY, 2], [crc, 4], [file.size, 4], [file.size, 4],
      [name.length, 2], [0, 2]];
    const head = numbers([0x04034b50, 4], ...about);
    parts.push(head, name, file);
    const more = [[0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]; // comment, disk, attributes, place
    directory.push(numbers([0x02014b50, 4], [20, 2], ...about, ...more), name);
    offset += head.length + name.length + file.size;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = numbers(
    [0x06054b50, 4], [0, 4], [files.length, 2], [files.length, 2], [size, 4], [offset, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}
