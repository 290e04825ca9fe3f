import type { ColorScheme } from '../lib/color-scheme';
import type { Size } from './camera';
import { colourOf, type Category } from './palette';

const LEGEND_ROWS = 24;

interface Parts {
  /** The drawn points. */
  canvas: HTMLCanvasElement;
  size: Size;
  thumbnails: Iterable<HTMLImageElement>;
  frame: DOMRect;
  title: string;
  figures: string;
  legend: readonly Category[];
  scheme: ColorScheme;
  style: CSSStyleDeclaration;
}

/** The map as a PNG: its points and thumbnails as they stand, with its title and legend beside them. */
export async function mapPng(parts: Parts): Promise<Blob> {
  const { canvas, size, title, figures, legend, scheme, style } = parts;
  const scale = canvas.width / Math.max(1, size.width);
  const rows = legend.slice(0, LEGEND_ROWS);
  const side = 250;
  const height = Math.max(size.height, 96 + rows.length * 24 + 24);
  const sheet = document.createElement('canvas');
  sheet.width = (size.width + side) * scale;
  sheet.height = height * scale;
  const pen = sheet.getContext('2d');
  if (!pen) throw new Error('no canvas');
  const colour = (name: string) => style.getPropertyValue(name);
  pen.scale(scale, scale);
  pen.fillStyle = style.backgroundColor;
  pen.fillRect(0, 0, size.width + side, height);
  pen.drawImage(canvas, 0, 0, size.width, size.height);
  for (const image of parts.thumbnails) {
    if (!image.complete || image.naturalWidth === 0) continue;
    const box = image.getBoundingClientRect();
    const least = Math.min(image.naturalWidth, image.naturalHeight);
    pen.drawImage(
      image,
      (image.naturalWidth - least) / 2,
      (image.naturalHeight - least) / 2,
      least,
      least,
      box.left - parts.frame.left,
      box.top - parts.frame.top,
      box.width,
      box.height,
    );
  }
  pen.fillStyle = style.backgroundColor;
  pen.fillRect(size.width, 0, side, height);
  const ink = style.color;
  const text = (words: string, y: number, font: string, x = size.width + 20) => {
    pen.font = font;
    pen.fillText(words, x, y, side - (x - size.width) - 16);
  };
  const family = colour('--sans') || 'sans-serif';
  pen.fillStyle = ink;
  text(title, 40, `600 17px ${family}`);
  pen.globalAlpha = 0.7;
  text(figures, 62, `12px ${family}`);
  pen.globalAlpha = 1;
  rows.forEach((category, row) => {
    const y = 98 + row * 24;
    pen.fillStyle = colourOf(category, scheme);
    pen.beginPath();
    pen.arc(size.width + 26, y - 4, 5.5, 0, 2 * Math.PI);
    pen.fill();
    pen.fillStyle = ink;
    text(`${category.name}  ${category.count}`, y, `13px ${family}`, size.width + 40);
  });
  if (legend.length > rows.length) {
    text(`and ${legend.length - rows.length} more`, 98 + rows.length * 24, `13px ${family}`, size.width + 40);
  }
  return new Promise((resolve, reject) =>
    sheet.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'),
  );
}
