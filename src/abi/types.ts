/**
 * Branded types of guest values.
 *
 * A guest value is a plain JS number at run time; the brand keeps an address from being used as a descriptor, and
 * keeps handlers from touching guest memory by accident: only src/mm turns an address into bytes.
 */
declare const brand: unique symbol;
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** A guest virtual address (0 to 2^64, exact below 2^53; every mappable address is below 2^47). */
export type GuestAddr = Branded<number, 'GuestAddr'>;
/** A guest address of a NUL-terminated path, not yet copied in. */
export type GuestPath = Branded<number, 'GuestPath'>;
/** A guest address of a struct with the named layout. */
export type GuestPtr<Layout extends string = string> = Branded<number, 'GuestPtr'> & { readonly layout?: Layout };
/** A descriptor number as the guest passed it, signed 32 bits. */
export type Fd = Branded<number, 'Fd'>;
/** A path or name: one char per byte (latin1). */
export type ByteString = string;

export type ArchName = 'x86_64' | 'aarch64';

/** Whether the top byte of an address is the program's own: calls about memory ignore it (Documentation/arch/arm64/tagged-address-abi). */
export const TOP_BYTE_IGNORED: Readonly<Record<ArchName, boolean>> = { x86_64: false, aarch64: true };
