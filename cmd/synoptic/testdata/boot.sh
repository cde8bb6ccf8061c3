#!/bin/sh
# boot.sh DIR PROGRAM UNIT: becomes systemd, over a copy of the system that is gone with it. It runs as the first
# process of namespaces of its own for mounts, processes and names. Of the system's units only those are started
# that the target asks for: none.
set -e
mount --make-rprivate /
mount -t tmpfs none "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
cp "$2" usr/bin/synoptic
chmod 755 usr/bin/synoptic
rm -rf etc/systemd/system lib/systemd/system-generators etc/default/synoptic lib/systemd/system/*.wants
mkdir -p etc/systemd/system/synoptic@b0.service.d etc/default
cp "$3" etc/systemd/system/
# Soon enough to be waited for.
printf '[Service]\nWatchdogSec=2\n' >etc/systemd/system/synoptic@b0.service.d/soon.conf
echo 'SYNOPTIC_OPTIONS="--home 198.51.100.0/24 --memory 16MiB --state-every 200ms --heartbeat 0"' >etc/default/synoptic
printf '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n' >etc/systemd/system/bare.target
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 none dev
for device in null zero full random urandom tty; do
	touch dev/$device
	mount --bind /dev/$device dev/$device
done
mkdir dev/pts dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for empty in run tmp var/log; do
	mount -t tmpfs -o mode=755 none $empty
done
mkdir tmp/groups old
mount -t cgroup2 none tmp/groups
mkdir -p "tmp/groups/$4"
echo 0 >"tmp/groups/$4/cgroup.procs"
pivot_root . old
exec unshare --cgroup sh -ec 'cd /
umount -l /old /tmp/groups
mountpoint -q /sys/fs/cgroup && umount /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=bare.target --show-status=no'
