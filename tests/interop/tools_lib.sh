# tools_lib.sh - everyday programs at work on a mount.  Sourced by the test of each server (tools_*.sh), not run.
# Needs SRC, BUILD and TMPDIR.
# shellcheck shell=sh disable=SC2154 # what lib.sh sets

. "$SRC/tests/interop/write_lib.sh"

mount_again=  # the options of the mount that has nothing cached
dir_times=yes # no: the server cannot set the times of directories
home=$TMPDIR/local
export HOME="$TMPDIR" GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a \
	GIT_COMMITTER_EMAIL=a@example.org

needs_programs() {
	for p in vim rsync zip unzip git sqlite3 tar; do
		command -v "$p" >/dev/null && continue
		echo "skip: no $p (scripts/setup test)"
		exit 77
	done
}

# Files of all sizes, with times and modes; no links, which most servers cannot make.
make_local() {
	mkdir -p "$home/a/deep/er" "$home/b c" "$home/empty"
	for n in 0 1 4097 70000 1048577; do
		pattern $n $n >"$home/a/$n.bin"
	done
	for n in 1 2 3 4 5 6 7 8 9; do
		echo "text $n" >"$home/b c/file $n.txt"
	done
	echo '#!/bin/sh' >"$home/a/deep/er/tool"
	chmod 755 "$home/a/deep/er/tool"
	chmod 600 "$home/b c/file 1.txt"
	touch -d '2001-02-03 04:05:06 UTC' "$home/a/4097.bin" "$home/b c/file 2.txt"
	touch -d '3 days ago' "$home/a/70000.bin"
	find "$home" -depth -type d -exec touch -d '2002-03-04 05:06:07 UTC' {} +
}

# The files' modes, times and bytes; the directories' too, where the server can.
picture() {
	(
		cd "$1" || exit 1
		find . -type f -printf '%P %m %Ts\n' | sort
		[ $dir_times = no ] || find . -mindepth 1 -type d -printf '%P %m %Ts\n' | sort
		find . -type f -print0 | sort -z | xargs -0 sha256sum
	)
}

same_tree() {
	picture "$1" >"$TMPDIR/have" && picture "$2" >"$TMPDIR/want" && same "$TMPDIR/have" "$TMPDIR/want"
}

# --- copies ---------------------------------------------------------------------------------------

# Where the server cannot set the times of directories, cp says so, about each of them and about nothing else.
copies_in() {
	cp -a "$home" "$mnt/cp" 2>"$TMPDIR/cp.said"
	if [ $dir_times = yes ]; then
		! [ -s "$TMPDIR/cp.said" ] || { cat "$TMPDIR/cp.said"; return 1; }
	else
		! grep -v 'preserving times for .*Operation not permitted' "$TMPDIR/cp.said" || return 1
		[ "$(wc -l <"$TMPDIR/cp.said")" = "$(find "$home" -type d | wc -l)" ] || return 1
	fi
	same_tree "$mnt/cp" "$home"
}

copies_out() {
	cp -a "$mnt/cp" "$TMPDIR/out" && same_tree "$TMPDIR/out" "$home"
}

rsyncs() {
	_flags=-a
	[ $dir_times = yes ] || _flags=-aO
	rsync $_flags --delete "$home/" "$mnt/rsync/" || return 1
	same_tree "$mnt/rsync" "$home" || return 1
	echo surplus >"$mnt/rsync/surplus"
	rsync $_flags --delete --itemize-changes "$home/" "$mnt/rsync/" >"$TMPDIR/second" || return 1
	[ "$(grep -c -v '^\.d\.\.t' "$TMPDIR/second")" = 1 ] && grep -q 'deleting *surplus' "$TMPDIR/second" || { cat "$TMPDIR/second"; return 1; }
	rsync $_flags --delete --itemize-changes "$home/" "$mnt/rsync/" >"$TMPDIR/third" || return 1
	! [ -s "$TMPDIR/third" ] || { cat "$TMPDIR/third"; return 1; }
	rsync -a "$mnt/rsync/" "$TMPDIR/back/" && same_tree "$TMPDIR/back" "$home"
}

# Later, when nothing is cached any more: times are what listings tell.
rsyncs_again() {
	rsync -aO --itemize-changes "$home/" "$mnt/rsync/" >"$TMPDIR/fourth" || return 1
	! [ -s "$TMPDIR/fourth" ] || { cat "$TMPDIR/fourth"; return 1; }
}

unpacks_tar() {
	tar -cf "$TMPDIR/t.tar" -C "$home" . && mkdir "$mnt/tar" || return 1
	if [ $dir_times = yes ]; then
		tar -xf "$TMPDIR/t.tar" -C "$mnt/tar" || return 1
	else
		tar -xf "$TMPDIR/t.tar" -C "$mnt/tar" 2>"$TMPDIR/tar.said"
		! grep -v 'Cannot utime: Operation not permitted\|Exiting with failure' "$TMPDIR/tar.said" || return 1
	fi
	same_tree "$mnt/tar" "$home" && tar -cf - -C "$mnt/tar" . | tar -df - -C "$home" --exclude=./empty >"$TMPDIR/tar.diff" 2>&1
	! grep -v 'time differs\|Uid differs\|Gid differs\|Mod time' "$TMPDIR/tar.diff"
}

unpacks_zip() {
	(cd "$home" && zip -q -r "$TMPDIR/z.zip" .) && unzip -q -D "$TMPDIR/z.zip" -d "$mnt/zip" && diff -r "$mnt/zip" "$home"
}

# --- editors and friends --------------------------------------------------------------------------

edits_with_vim() {
	printf 'one\ntwo\nthree\n' >"$mnt/vim.txt"
	timeout 200 vim -N -u NONE -i NONE -es -c '%s/two/2/' -c 'normal Gofour' -c 'wq' "$mnt/vim.txt" </dev/null || return 1
	[ "$(tr '\n' ' ' <"$mnt/vim.txt")" = 'one 2 three four ' ] || return 1
	timeout 200 vim -N -u NONE -i NONE -es -c 'set backup writebackup backupcopy=no backupskip=' -c '%s/2/zwei/' -c 'wq' "$mnt/vim.txt" </dev/null ||
		return 1
	[ "$(tr '\n' ' ' <"$mnt/vim.txt")" = 'one zwei three four ' ] && grep -q '^2$' "$mnt/vim.txt~" || return 1
	! find "$mnt" -maxdepth 1 -name '.*.sw?' | grep .
}

edits_in_place() {
	printf 'a\nb\n' >"$mnt/sed.txt"
	sed -i 's/b/B/' "$mnt/sed.txt" && [ "$(cat "$mnt/sed.txt")" = "$(printf 'a\nB')" ] || return 1
	echo c >>"$mnt/sed.txt" && echo d >>"$mnt/sed.txt" && [ "$(tail -n 2 "$mnt/sed.txt" | tr '\n' ' ')" = 'c d ' ]
}

splits() {
	mkdir "$mnt/split" && split -b 100000 "$home/a/1048577.bin" "$mnt/split/part." || return 1
	cat "$mnt/split"/part.* | cmp - "$home/a/1048577.bin" && [ "$(ls "$mnt/split" | wc -l)" = 11 ]
}

writes_blocks() {
	cp "$home/a/1048577.bin" "$TMPDIR/dd" && cp "$TMPDIR/dd" "$mnt/dd" || return 1
	for f in "$TMPDIR/dd" "$mnt/dd"; do
		dd if="$home/a/70000.bin" of="$f" bs=1000 seek=33 count=50 conv=notrunc status=none || return 1
		dd if="$home/a/70000.bin" of="$f" bs=1 seek=1048570 count=20 conv=notrunc status=none || return 1
	done
	cmp "$mnt/dd" "$TMPDIR/dd"
}

moves() {
	mkdir "$mnt/from" "$mnt/to" && cp "$home/a/70000.bin" "$mnt/from/x" && mv "$mnt/from/x" "$mnt/to/y" || return 1
	mv "$mnt/to" "$mnt/from/" && cmp "$mnt/from/to/y" "$home/a/70000.bin" || return 1
	mv "$mnt/from/to/y" "$TMPDIR/moved" && cmp "$TMPDIR/moved" "$home/a/70000.bin" && ! [ -e "$mnt/from/to/y" ] || return 1
	mv "$TMPDIR/moved" "$mnt/from/back" && cmp "$mnt/from/back" "$home/a/70000.bin"
}

sets_times_and_modes() {
	mkdir "$mnt/times" && touch -d '2001-02-03 04:05:06 UTC' "$mnt/times/old" && touch "$mnt/times/new" || return 1
	[ "$(stat -c %Y "$mnt/times/old")" = 981173106 ] || return 1
	[ "$(find "$mnt/times" -type f -newer "$mnt/times/old")" = "$mnt/times/new" ] || return 1
	chmod -R u=rwX,go= "$mnt/times" || return 1
	[ "$(stat -c %a "$mnt/times" "$mnt/times/old" | tr '\n' ' ')" = '700 600 ' ]
}

removes() {
	cp -r "$home" "$mnt/rm" && rm -r "$mnt/rm" && ! [ -e "$mnt/rm" ] && ! [ -e "$truth/rm" ]
}

# --- databases ------------------------------------------------------------------------------------

keeps_git() {
	git init -q -b main "$mnt/git" && cp -r "$home/a" "$mnt/git/" && cd "$mnt/git" || return 1
	git add . && git commit -q -m one && echo more >>a/1.bin && git commit -q -a -m two || return 1
	[ -z "$(git status --porcelain)" ] && [ "$(git log --oneline | wc -l)" = 2 ] && git fsck --strict || return 1
	git checkout -q -b side HEAD~1 && git checkout -q main && git gc -q || return 1
	cd / && git clone -q "$mnt/git" "$TMPDIR/clone" && diff -r --exclude=.git "$TMPDIR/clone" "$mnt/git" || return 1
	git clone -q "$TMPDIR/clone" "$mnt/clone" && [ -z "$(git -C "$mnt/clone" status --porcelain)" ]
}

keeps_sqlite() {
	_sql='create table t(a integer primary key, b text);
		with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) insert into t select i, hex(i) from n;
		update t set b = b || b where a % 3 = 0; delete from t where a % 7 = 0;'
	sqlite3 "$mnt/db" "$_sql" && sqlite3 "$TMPDIR/db" "$_sql" || return 1
	[ "$(sqlite3 "$mnt/db" 'pragma integrity_check; select count(*), sum(length(b)) from t')" = \
		"$(sqlite3 "$TMPDIR/db" 'pragma integrity_check; select count(*), sum(length(b)) from t')" ] || return 1
	sqlite3 "$mnt/db" 'vacuum; insert into t values(100000, "last")' && [ "$(sqlite3 "$mnt/db" 'select b from t where a = 100000')" = last ]
}

# tools_all SERVER
tools_all() {
	needs_fuse
	needs_programs
	trap write_clean_up EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$data" "$mnt" "$home"
	make_local
	server_start "$1" "$data"
	must 'a second view' see_truth
	must 'mount' mount_site
	check 'cp -a to the mount' copies_in
	check 'cp -a from the mount' copies_out
	check 'rsync -a --delete, and again' rsyncs
	check 'tar' unpacks_tar
	check 'zip' unpacks_zip
	check 'vim' edits_with_vim
	check 'sed -i, >>' edits_in_place
	check 'split' splits
	check 'dd conv=notrunc seek=' writes_blocks
	check 'mv' moves
	check 'touch -d, find -newer, chmod -R' sets_times_and_modes
	check 'rm -r' removes
	check 'git' keeps_git
	check 'sqlite3' keeps_sqlite
	must 'unmount' unmount_site
	must 'mount again' mount_site $mount_again
	check 'rsync a third time' rsyncs_again
	check 'the same as before' same_tree "$mnt/rsync" "$home"
	must 'unmount again' unmount_site
	exit $bad
}
