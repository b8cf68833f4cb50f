# make run    builds mailauthd and serves the sample user map from this directory
# make quick  runs the tests that start no other programs, in less than a minute
# make test   runs all tests; on Debian as root it installs the programs that they start

VERSION   := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
STATIC    := honnef.co/go/tools/cmd/staticcheck@v0.8.2
RUN       := .run
PORT      ?= 18008
FUZZTIME  ?= 30s
DESTDIR   ?=
PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
ZSHDIR    ?= $(PREFIX)/share/zsh/site-functions
EXAMPLES  := $(filter-out %.md %/bench %/completion %/man %/packages %/systemd,$(wildcard contrib/*))
# The version of systemd. From 253 on it knows Type=notify-reload.
SYSTEMD   ?= $(shell systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
# The web server's group: "http" on Arch, "nginx" or "apache" on Fedora.
WEBGROUP  ?= www-data

.PHONY: build run quick test lint bench fuzz install packages test-packages clean

build:
	mkdir -p $(RUN)
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o $(RUN)/ ./cmd/...

run: build
	@printf '%s\n' 'include = ["../conf/servers.toml", "../conf/users.toml"]' \
		'[listen]' 'http = ["127.0.0.1:$(PORT)"]' \
		'[log]' 'file = "$(CURDIR)/$(RUN)/auth.log"' >$(RUN)/mailauthd.toml
	@echo "try it:  curl -si -H 'Auth-Method: plain' -H 'Auth-Protocol: imap' -H 'Auth-User: carol@domain02.com' -H 'Auth-Pass: sample-carol' http://127.0.0.1:$(PORT)/mail/auth.php"
	@echo "its log: $(CURDIR)/$(RUN)/auth.log"
	@exec $(RUN)/mailauthd serve -config $(RUN)/mailauthd.toml

quick:
	go test -short -timeout 30m $$(go list ./... | grep -v /e2e)

# Package e2e runs last and alone, because it measures times. With the race detector each process would end a second
# late without GORACE.
test:
	.ci/programs test
	@mkdir -p $(RUN) && : >$(RUN)/skipped
	@export SKIPPED=$(CURDIR)/$(RUN)/skipped GORACE=atexit_sleep_ms=0; status=0; \
		test="go test -count=1 -timeout 30m $$(command -v cc >/dev/null && echo -race)"; \
		$$test $$(go list ./... | grep -v /e2e) || status=1; \
		$$test ./internal/e2e || status=1; \
		cat $(RUN)/skipped; exit $$status

lint:
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	go vet ./...
	go test -count=1 ./internal/house -run '^TestSystems$$' -systems
	go run $(STATIC) ./...

bench:
	.ci/programs bench
	go test -run '^$$' -bench . -benchtime 200ms ./internal/...
	go test -count=1 -timeout 30m -run '^Test(Throughput|PassdbThroughput|RedisThroughput|IMAPLogins|ReloadsUnderLoad|Guessing|GuessingSharedByHosts|RedisFaults)$$' -v ./internal/e2e -throughput -guessing

# Runs every fuzz target for FUZZTIME, one after the other.
fuzz:
	go vet ./...
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p || exit 1; \
		done; \
	done

# Installs what make build made, the units, the manual pages, shell completion and the documentation. It installs a
# configuration only if there is none, with the sample users as comments. Links in README.md lead to the installed
# files. It writes nothing to this directory, because root may run it.
install:
	@test -x $(RUN)/mailauthd || { echo "run make build first, not as root" >&2; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/systemd/system $(DESTDIR)$(PREFIX)/lib/sysusers.d \
		$(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(ZSHDIR) \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d \
		$(DESTDIR)$(PREFIX)/share/doc/mailauthd/conf $(DESTDIR)$(SYSCONFDIR)/mailauthd/users.d
	install -m 0755 $(RUN)/mailauthd $(RUN)/md5cram $(DESTDIR)$(PREFIX)/bin/
	for unit in $(wildcard contrib/systemd/*.service contrib/systemd/*.socket); do \
		sed -e 's|/usr/local|$(PREFIX)|g' -e '/^[A-Z].*=/s|www-data|$(WEBGROUP)|' $$unit | \
			install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/} || exit 1; \
	done
	@test "$(or $(SYSTEMD),0)" -lt 253 || { install -d $(DESTDIR)$(PREFIX)/lib/systemd/system/mailauthd.service.d && \
		sed 's|/usr/local|$(PREFIX)|g' contrib/systemd/notify-reload.conf | \
			install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/lib/systemd/system/mailauthd.service.d/notify-reload.conf; }
	install -m 0644 contrib/systemd/mailauthd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/mailauthd.conf
	for page in contrib/man/*.[158]; do \
		sed 's|/usr/local|$(PREFIX)|g' $$page | \
			install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; \
	done
	install -m 0644 contrib/completion/mailauthd.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mailauthd
	install -m 0644 contrib/completion/_mailauthd $(DESTDIR)$(ZSHDIR)/
	install -m 0644 contrib/completion/mailauthd.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/
	sed -e 's|](contrib/man/\([^)]*\([158]\)\))|](../../man/man\2/\1)|g' -e 's|](contrib/|](|g' -e 's|/usr/local|$(PREFIX)|g' README.md | \
		install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/doc/mailauthd/README.md
	sed 's|/usr/local|$(PREFIX)|g' contrib/RELEASE-NOTES.md | \
		install -m 0644 /dev/stdin $(DESTDIR)$(PREFIX)/share/doc/mailauthd/RELEASE-NOTES.md
	install -m 0644 conf/*.toml $(DESTDIR)$(PREFIX)/share/doc/mailauthd/conf/
	cp -R $(EXAMPLES) $(DESTDIR)$(PREFIX)/share/doc/mailauthd/
	@to=$(DESTDIR)$(SYSCONFDIR)/mailauthd; \
	test -e $$to/mailauthd.toml || sed '/^group *=/s|www-data|$(WEBGROUP)|' conf/mailauthd.toml | \
		install -m 0640 /dev/stdin $$to/mailauthd.toml || exit 1; \
	test -e $$to/servers.toml || install -m 0640 conf/servers.toml $$to/servers.toml || exit 1; \
	test -e $$to/users.toml || sed 's/^[^#]/#&/' conf/users.toml | install -m 0640 /dev/stdin $$to/users.toml

# Builds deb, rpm and Arch packages into .run/packages; contrib/packages/build says how.
packages:
	contrib/packages/build

# Tests the packages in fresh roots. On Debian as root it installs debootstrap, rpm and pacman.
test-packages:
	.ci/programs packages
	contrib/packages/test

clean:
	rm -rf $(RUN)
