#!/bin/sh
# What FTP was not made for, through a mount: attributes, checksums, copies by the server, free space, holes, locks, links and
# names of all kinds.
. "$(dirname "$0")/lib.sh"
require_fuse
require python3

pattern 1 3000000 >"$data/big"
printf 'hello\n' >"$data/a"
mkdir "$data/dir"
ln -s dir "$data/to-dir"
ln -s a "$data/to-a"
ln -s /a "$data/absolute"
start_server --quota 100000000

mount_site xattr
python3 - "$mnt" <<'PY' || fail 'from python'
import errno, fcntl, hashlib, os, stat, sys
mnt = sys.argv[1]
big, copy = mnt + "/big", mnt + "/copy"

def fails(err, f, *args):
    try:
        f(*args)
    except OSError as e:
        assert e.errno == err, e
        return
    raise AssertionError(f"{f} does not fail")

# Attributes.
names = os.listxattr(mnt + "/a")
assert "user.ftp.facts" in names and "user.ftp.size" in names, names
assert os.getxattr(mnt + "/a", "user.ftp.size") == b"6"
for name in names:
    os.getxattr(mnt + "/a", name)
want = hashlib.sha256(open(big, "rb").read()).hexdigest().encode()
assert os.getxattr(big, "user.ftp.sha256") == want
fails(errno.ENODATA, os.getxattr, big, "user.none")
fails(errno.EOPNOTSUPP, os.setxattr, big, "user.x", b"1")

# A copy by the server, and parts of files by hand.
def copy_range(n, at=0, to=0):
    a, b = os.open(big, os.O_RDONLY), os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    done = 0
    while done < n:
        got = os.copy_file_range(a, b, n - done, at + done, to + done)
        if got == 0:
            break
        done += got
    os.close(a), os.close(b)
    return done
whole = open(big, "rb").read()
assert copy_range(1 << 40) == len(whole)
assert open(copy, "rb").read() == whole
assert copy_range(1000, 5000, 10) == 1000
assert open(copy, "rb").read() == bytes(10) + whole[5000:6000]

# Holes: all is data.
fd = os.open(big, os.O_RDONLY)
assert os.lseek(fd, 1000, os.SEEK_DATA) == 1000
assert os.lseek(fd, 1000, os.SEEK_HOLE) == len(whole)
fails(errno.ENXIO, os.lseek, fd, len(whole), os.SEEK_DATA)
os.close(fd)

# Locks are kept here.
a, b = os.open(copy, os.O_RDWR), os.open(copy, os.O_RDWR)
fcntl.flock(a, fcntl.LOCK_EX)
fails(errno.EWOULDBLOCK, fcntl.flock, b, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.flock(a, fcntl.LOCK_UN)
fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB)
fcntl.lockf(a, fcntl.LOCK_EX | fcntl.LOCK_NB)
os.close(a), os.close(b)

# Other files than regular ones, and other names than one.
os.mknod(mnt + "/made", 0o600 | stat.S_IFREG)
assert os.stat(mnt + "/made").st_size == 0
fails(errno.EPERM, os.mkfifo, mnt + "/fifo")
fails(errno.EPERM, os.link, mnt + "/a", mnt + "/hard")
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def rename2(a, b, flags):
    if libc.renameat2(-100, (mnt + a).encode(), -100, (mnt + b).encode(), flags) < 0:
        raise OSError(ctypes.get_errno(), a)
fails(errno.EEXIST, rename2, "/a", "/made", 1)
fails(errno.EINVAL, rename2, "/a", "/made", 2)
assert os.stat(mnt + "/a").st_size == 6

# Space.
s = os.statvfs(mnt)
assert 0 < s.f_bavail * s.f_frsize <= 100000000, s
PY
counters
[ "$(counter SITE)" -ge 2 ] || fail 'the server did not copy'
fails_with 'not permitted' cat "$mnt/absolute"
[ "$(readlink "$mnt/to-dir")" = dir ] || fail 'a link that stays inside'
unmount_site

# Temporary files go where they went before the mount, even when it lies over that place: no waiting for itself.
export TMPDIR="$mnt"
mount_site spool_memory=64K
cp "$data/big" "$mnt/anywhere" && printf x | dd of="$mnt/anywhere" bs=1 seek=1000000 conv=notrunc 2>/dev/null || fail 'dd'
[ "$(stat -c %s "$mnt/anywhere")" = 3000000 ] || fail 'a spool below the mount'
unmount_site
unset TMPDIR
fails_with 'spool_dir=/nowhere: ' "$BUILD/ftpfs" -o spool_dir=/nowhere "$url" "$mnt"

mount_site transform_symlinks
[ "$(readlink "$mnt/absolute")" = a ] || fail 'transform_symlinks'
same "$mnt/absolute" "$data/a"
unmount_site

mount_site no_contain_symlinks
[ "$(readlink "$mnt/absolute")" = /a ] || fail 'no_contain_symlinks'
unmount_site

mount_site follow_symlinks
[ -d "$mnt/to-dir" ] && [ ! -L "$mnt/to-dir" ] || fail 'follow_symlinks: a directory'
[ -f "$mnt/to-a" ] && [ ! -L "$mnt/to-a" ] || fail 'follow_symlinks: a file'
same "$mnt/to-a" "$data/a"
find "$mnt" -type l | grep -q . && fail 'follow_symlinks: a link is left'
unmount_site

# Another program changes a file; the next open sees it.
mount_site cto,attr_timeout=1000
same "$mnt/a" "$data/a"
printf 'changed meanwhile\n' >"$work/new"
curl -sS -T "$work/new" "$url/a" || fail 'curl'
same "$mnt/a" "$work/new"
unmount_site

# Names in another character set.
printf one >"$(printf '%s/\317\360\350\342\345\362' "$data")"
printf two >"$(printf '%s/odd\230' "$data")"
stop_server
start_server
mount_site codepage=CP1251
[ "$(cat "$mnt/Привет")" = one ] || fail 'codepage: a name'
[ "$(cat "$mnt"/odd*)" = two ] || fail 'codepage: a name with a byte that means nothing'
mv "$mnt/Привет" "$mnt/Мир" || fail 'codepage: mv'
fails_with 'Invalid or incomplete\|invalid' touch "$mnt/日本"
unmount_site
mount_site
[ "$(cat "$mnt/$(printf '\314\350\360')")" = one ] || fail 'codepage: the name on the server'
unmount_site
