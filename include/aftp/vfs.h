/* vfs - placeholder; designed with the server. */
#ifndef AFTP_VFS_H
#define AFTP_VFS_H
#endif
