/** Pictures that no collection has yet: PNG files of random tiles, written by hand. */
import { crc32, deflateSync } from 'node:zlib';

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

export function drawPng(width = 320, height = 240, tile = 40): Buffer {
  const columns = Math.ceil(width / tile);
  const colors = Array.from({ length: columns * Math.ceil(height / tile) }, () =>
    [0, 0, 0].map(() => Math.floor(Math.random() * 256)),
  );
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x += 1) {
      const color = colors[Math.floor(y / tile) * columns + Math.floor(x / tile)] ?? [0, 0, 0];
      row.set(color, 1 + x * 3);
    }
    return row;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG as Playwright gives it to a file input, under a name of its own. */
export function pngFile(prefix = 'browser-test'): {
  name: string;
  mimeType: string;
  buffer: Buffer;
} {
  const name = `${prefix}-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e6).toString(36)}.png`;
  return { name, mimeType: 'image/png', buffer: drawPng() };
}
