/** Texts of one char a byte, without the checks of encodings, the copies and the views that Buffer's own methods make. */
interface Natives {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  base64Slice(this: Uint8Array, start: number, end: number): string;
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number;
}
const natives = Buffer.prototype as unknown as Natives;

export const latin1Slice = (bytes: Uint8Array, start: number, end: number): string =>
  natives.latin1Slice.call(bytes, start, end);
export const base64Slice = (bytes: Uint8Array, start: number, end: number): string =>
  natives.base64Slice.call(bytes, start, end);
export const latin1Write = (bytes: Uint8Array, text: string, offset: number): number =>
  natives.latin1Write.call(bytes, text, offset, text.length);
