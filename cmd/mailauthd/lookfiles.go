package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"mailauthd/internal/account"
	"mailauthd/internal/authlog"
	"mailauthd/internal/config"
	"mailauthd/internal/listen"
	"mailauthd/internal/redisdb"
)

// all runs in the thread that has the user's rights.
func (l *look) all(source *config.Source, files []config.File) {
	for _, f := range files {
		l.file(f)
	}
	cfg := source.Listen
	sockets := func(key string, addrs []listen.Address) (some bool) {
		for _, a := range addrs {
			if a.Kind == "unix" {
				l.socketDir(source.Where("listen", key), filepath.Dir(a.Name))
				some = true
			}
		}
		return some
	}
	sockets("admin", cfg.Admin)
	fastCGI, http, metrics := sockets("fastcgi", cfg.FastCGI), sockets("http", cfg.HTTP), sockets("metrics", cfg.Metrics)
	if fastCGI || http || metrics {
		l.giveAway(source, cfg.Options)
	}
	if source.Redis != nil {
		l.redisSocket(source.Where("redis", "addresses"), source.Redis.Addresses[0])
	}
	l.logFile(source.Where("log", "file"), &source.Log)
	if source.Shadow != nil {
		log := source.Log
		log.File = source.Shadow.Log
		l.logFile(source.Where("shadow", "log"), &log)
	}
	slices.SortStableFunc(l.found, func(a, b config.Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.What, b.What))
	})
	l.found = slices.Compact(l.found)
}

// file checks that the user can read a file, or list a directory that include names.
func (l *look) file(f config.File) {
	path, rights, chmod := f.Path, account.Read, "g+r"
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		rights, chmod = account.Read|account.Enter, "g+rx"
	}
	var denied *account.Denied
	if !errors.As(account.Check(path, rights), &denied) {
		return
	}
	reason := ""
	if denied.Path != path {
		reason, chmod = fmt.Sprintf(", because it cannot enter %s", denied.Path), "g+x"
	}
	l.add(f.Where, `user %q cannot read %s%s: %s: run "chgrp %s %s && chmod %s %s"`,
		l.user.Name, path, reason, owners(denied.Path), account.GroupName(l.user.GID), denied.Path, chmod, denied.Path)
}

// socketDir checks that the user can make a socket in a directory.
func (l *look) socketDir(where config.Problem, dir string) {
	if l.unit != nil && l.unit.Makes(dir) {
		if _, err := os.Stat(dir); err != nil {
			l.note("%s: systemd makes it when the service starts", dir)
		}
		return
	}
	if isMissing(dir) {
		l.missing(where, dir, "0755", "RuntimeDirectory")
		return
	}
	l.canWrite(where, dir, "make a socket in", "/run/mailauthd")
}

// redisSocket checks that the user can connect to Redis by a unix socket, if it is there.
func (l *look) redisSocket(where config.Problem, address string) {
	path, isUnix := strings.CutPrefix(address, redisdb.Unix)
	if !isUnix || isMissing(path) || account.Check(path, account.Write) == nil {
		return
	}
	group := "redis" // if the user cannot enter the directory
	if info, err := os.Stat(path); err == nil {
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			group = account.GroupName(int(stat.Gid))
		}
	}
	l.add(where, `user %q cannot connect to %s: %s: set unixsocketperm 770 in redis.conf, run "systemctl edit mailauthd", and add the lines "[Service]" and "SupplementaryGroups=%s"`,
		l.user.Name, path, owners(path), group)
}

// logFile checks that the user can write a log and, if the log is rotated, make files beside it. The log makes its
// directory if it can.
func (l *look) logFile(where config.Problem, c *authlog.Config) {
	dir := filepath.Dir(c.File)
	if l.unit != nil && l.unit.Makes(dir) {
		return
	}
	info, err := os.Stat(c.File)
	exists := err == nil
	if exists && !l.canWrite(where, c.File, "write", "") || exists && (c.MaxSize == 0 || !info.Mode().IsRegular()) {
		return
	}
	above := dir
	for isMissing(above) {
		above = filepath.Dir(above)
	}
	if above != dir {
		if account.Check(above, account.Write|account.Enter) != nil {
			l.missing(where, dir, "0750", "LogsDirectory")
		}
		return
	}
	l.canWrite(where, dir, "make or rotate "+filepath.Base(c.File)+" in", "/var/log/mailauthd")
}

func isMissing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// missing adds a problem about a directory that the user would have to make. A key of the unit may name it.
func (l *look) missing(where config.Problem, dir, mode, key string) {
	l.add(where, `%s does not exist: run "install -d -o %s -g %s -m %s %s", or let %s in the unit make it`,
		dir, l.user.Name, account.GroupName(l.user.GID), mode, dir, key)
}

// canWrite reports whether the user can write to a file, or make files in a directory. The problem that it adds names
// what the user cannot do with the path, and a directory that would be right.
func (l *look) canWrite(where config.Problem, path, what, right string) bool {
	dir, rights := filepath.Dir(path), account.Write
	hint := fmt.Sprintf("run \"chown %s %s\"", l.user.Name, path)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		dir, rights = path, account.Write|account.Enter
		hint = fmt.Sprintf("want a directory that belongs to this user, such as %s", right)
	}
	var denied *account.Denied
	isDenied := errors.As(account.Check(path, rights), &denied)
	switch {
	case l.unit != nil && l.unit.ReadOnly(path):
		l.add(where, `the service cannot %s %s, because %s has ProtectSystem=strict: run "systemctl edit mailauthd", and add the lines "[Service]" and "ReadWritePaths=%s"`,
			what, path, l.unit.Path, dir)
	case !isDenied:
		return true
	case errors.Is(denied, syscall.EROFS):
		l.add(where, "user %q cannot %s %s, because it is on a read-only file system", l.user.Name, what, path)
	case denied.Path != path:
		l.add(where, `user %q cannot %s %s, because it cannot enter %s: %s: %s`, l.user.Name, what, path, denied.Path, owners(denied.Path), hint)
	default:
		l.add(where, "user %q cannot %s %s: %s: %s", l.user.Name, what, path, owners(path), hint)
	}
	return false
}

// giveAway checks that the user can give a socket to its owner and group.
func (l *look) giveAway(source *config.Source, o listen.Options) {
	if l.user.UID == 0 {
		return
	}
	uid, err := listen.LookupUser(o.Owner)
	if err == nil && uid >= 0 && uid != l.user.UID {
		l.add(source.Where("listen", "owner"), "user %q cannot give a socket to another user: remove owner, or set it to %q", l.user.Name, l.user.Name)
	}
	gid, err := listen.LookupGroup(o.Group)
	switch {
	case err != nil || gid < 0 || slices.Contains(l.user.Groups, gid):
	case l.unit == nil:
		l.note(`user %q is not in group %q, so the service can only give it the socket if its unit has SupplementaryGroups=%s`, l.user.Name, o.Group, o.Group)
	default:
		l.add(source.Where("listen", "group"), `user %q is not in group %q, so the service cannot give it the socket: run "systemctl edit mailauthd", and add the lines "[Service]" and "SupplementaryGroups=%s"`,
			l.user.Name, o.Group, o.Group)
	}
}

// owners describes who may do what with a file.
func owners(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return err.Error()
	}
	text := fmt.Sprintf("its mode is %04o", info.Mode().Perm())
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		text += fmt.Sprintf(", and it belongs to %s:%s", account.UserName(int(stat.Uid)), account.GroupName(int(stat.Gid)))
	}
	return text
}
