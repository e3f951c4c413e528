#!/bin/sh
# A PostgreSQL server for tests, of Debian's package postgresql or of whatever
# has initdb. It listens on a socket in its own folder and nowhere else.
#
#	testserver.sh start DIR    makes the server in DIR, an empty folder, and prints its URL
#	testserver.sh stop DIR     stops it and deletes DIR
#
# Root starts it as the user postgres, since PostgreSQL does not run as root; that
# user must be able to enter the folder that DIR is in.
# FSYNC=on makes it as slow as one that must survive a power cut.
set -eu

usage='usage: testserver.sh start|stop DIR'
verb=${1:?$usage} dir=${2:?$usage}

as=
if [ "$(id -u)" = 0 ]; then
	as='setpriv --reuid=postgres --regid=postgres --init-groups'
fi

bin=$(dirname "$(command -v initdb || ls -1 /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)")
if [ ! -x "$bin/initdb" ]; then
	echo 'testserver.sh: there is no initdb: install PostgreSQL (on Debian: apt-get install postgresql)' >&2
	exit 1
fi

case $verb in
start)
	mkdir -p "$dir"
	chmod 700 "$dir"
	dir=$(cd "$dir" && pwd)
	if [ -n "$as" ]; then
		chown postgres: "$dir"
	fi
	cd "$dir"
	$as "$bin/initdb" --no-sync --auth=trust --username=runner --encoding=UTF8 --locale=C "$dir/data" >/dev/null
	$as "$bin/pg_ctl" --silent -w --pgdata="$dir/data" --log="$dir/log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=${FSYNC:-off}" start >/dev/null
	echo "postgres://runner@/postgres?host=$dir"
	;;
stop)
	cd "$dir"
	$as "$bin/pg_ctl" --silent -w --pgdata="$PWD/data" --mode=immediate stop
	rm -rf "$PWD"
	;;
*)
	echo "$usage" >&2
	exit 2
	;;
esac
