import type Sigma from 'sigma';

const TIMES = 2;

/** What is painted under and over what sigma draws. */
export interface Painters {
  under: (context: CanvasRenderingContext2D) => void;
  over: (context: CanvasRenderingContext2D) => void;
}

/** A graph as it is seen now, at twice the size, on a background of the given color. */
export async function graphPng(sigma: Sigma, background: string, { under, over }: Painters): Promise<Blob> {
  const { drawOnCanvas } = await import('@sigma/export-image');
  const { width, height } = sigma.getDimensions();
  const drawn = await drawOnCanvas(sigma, {
    layers: ['edges', 'nodes'],
    width: width * TIMES,
    height: height * TIMES,
    backgroundColor: 'transparent',
  });
  const canvas = document.createElement('canvas');
  canvas.width = width * TIMES;
  canvas.height = height * TIMES;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('no canvas to draw on');
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(TIMES, TIMES);
  under(context);
  context.drawImage(drawn, 0, 0, width, height);
  over(context);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error('the picture is too large'))),
      'image/png',
    );
  });
}
