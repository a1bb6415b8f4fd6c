/** POSIX access control lists as extended attributes: linux/posix_acl.h, linux/posix_acl_xattr.h. */
export const POSIX_ACL_XATTR_VERSION = 2;
export const ACL_UNDEFINED_ID = 0xffff_ffff;
export const AclTag = { USER_OBJ: 1, USER: 2, GROUP_OBJ: 4, GROUP: 8, MASK: 0x10, OTHER: 0x20 } as const;
