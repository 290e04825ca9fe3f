/** A place on the earth, in degrees. */
export interface Place {
  latitude: number;
  longitude: number;
}

/** A place as words: "48.20820° N, 16.37380° W". Five digits tell about a metre. */
export function coordinates({ latitude, longitude }: Place): string {
  const one = (degrees: number, sides: string) =>
    `${Math.abs(degrees).toFixed(5)}° ${sides[degrees < 0 ? 1 : 0]}`;
  return `${one(latitude, 'NS')}, ${one(longitude, 'EW')}`;
}

/** A rating as words: "4 of 5 stars". */
export function rating(value: number): string {
  return value < 0 ? 'Rejected' : `${value} of 5 stars`;
}
