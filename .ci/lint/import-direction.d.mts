export function layerOf(path: string): { rank: number; name: string } | undefined;
export function violation(from: string, to: string): string | undefined;
export const importDirection: object;
