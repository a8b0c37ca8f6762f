# encfs-rs: `make demo` shows it, `make test` proves it, `make install` puts it in place.

CARGO ?= cargo
# where rustup puts cargo: a shell that was open before does not look there
export PATH := $(PATH):$(HOME)/.cargo/bin
PREFIX ?= /usr/local
# where mount looks for helpers, whatever PREFIX is
SBINDIR ?= /sbin
DESTDIR ?=

# where cargo builds, and the test programs that are built by cargo but are no dependencies
TARGET := $(or $(CARGO_TARGET_DIR),target)
TOOLS := $(TARGET)/tools
PJDFSTEST := $(TOOLS)/pjdfstest-0.2.0.installed
FSX := $(TOOLS)/fsx-0.3.0.installed
MOTO := $(TOOLS)/moto-5.2.5.venv

DEPS_BUILD := build-essential pkg-config libssl-dev
DEPS_DEMO := $(DEPS_BUILD) fuse3 rsync
DEPS_TEST := $(DEPS_DEMO) encfs acl attr e2fsprogs tar util-linux man-db zsh fish \
	backintime-common expect libpam-mount pamtester procps sirikali \
	sshfs openssh-client openssh-server rclone davfs2
# the S3 server needs Python
DEPS_S3 := $(DEPS_TEST) s3fs curl python3-venv

# what a step needs of Debian packages, installed only if missing; elsewhere they are named
define need
@missing=; \
for package in $(1); do \
	dpkg-query -W -f '$${db:Status-Status}\n' $$package 2>/dev/null | grep -qx installed \
		|| missing="$$missing $$package"; \
done; \
[ -n "$$missing" ] || exit 0; \
if ! command -v apt-get >/dev/null; then \
	echo "no apt-get here; if it is not there yet, install what Debian calls:$$missing"; exit 0; \
fi; \
echo "installing:$$missing"; \
run=; [ "$$(id -u)" = 0 ] || run=sudo; \
$$run apt-get update -q && \
$$run env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing
endef

.PHONY: all build demo demo-remote test test-s3 deps-s3 lint soak bench tables tools install deps-build deps-demo deps-test docs

all: build

deps-build:
	$(call need,$(DEPS_BUILD))

deps-demo:
	$(call need,$(DEPS_DEMO))

deps-test:
	$(call need,$(DEPS_TEST))

deps-s3:
	$(call need,$(DEPS_S3))

build: deps-build
	$(CARGO) build --release

# a volume created, filled by rsync, looked at from both sides, remounted, verified, its password
# changed, and opened by EncFS 1.9.5 if that is installed
demo: deps-demo
	$(CARGO) build --release --workspace --bins
	$(TARGET)/release/demo

# the article on a simulated web drive: what EncFS 1.9.5, if it is installed, makes of the files with its
# defaults, and what encfs-rs does
demo-remote: deps-demo
	$(CARGO) build --release --workspace --bins
	$(TARGET)/release/demo-remote

test: deps-test tools
	$(CARGO) build --workspace --bins
	$(CARGO) test --workspace --no-fail-fast

# the same on s3fs; the S3 server, moto, is installed from Python's package index below target/
test-s3: deps-s3 $(MOTO)
	$(CARGO) build --workspace --bins
	$(CARGO) test -p compat-tests --test s3

lint: deps-build
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# random operations against EncFS 1.9.5 from a new seed each time, until something differs or an
# hour is over; a failure names its seed
soak: deps-test
	$(CARGO) build --workspace --bins
	end=$$(($$(date +%s) + $${SOAK_SECONDS:-3600})); \
	while [ "$$(date +%s)" -lt "$$end" ]; do \
		DIFFERENTIAL_SEED=$$(od -An -N6 -tu8 /dev/urandom | tr -d ' ') DIFFERENTIAL_OPS=2000 \
			$(CARGO) test -p compat-tests --test differential -- --nocapture || exit 1; \
	done

bench: deps-test
	$(CARGO) build --release --workspace --bins
	$(TARGET)/release/bench

# what becomes of files on storage that misbehaves, with encfs-rs and with EncFS 1.9.5, written into
# docs/storage-tables.md; PROGRAM=encfs-rs or PROGRAM=encfs makes one of the two
tables: deps-test
	$(CARGO) build --release --workspace --bins
	$(TARGET)/release/tables docs/storage-tables.md $(PROGRAM)

tools: $(PJDFSTEST) $(FSX)

$(TOOLS)/%.installed:
	name=$*; $(CARGO) install --locked --root $(TOOLS) "$${name%-*}" --version "=$${name##*-}"
	touch $@

$(TOOLS)/moto-%.venv:
	python3 -m venv $(TOOLS)/moto
	$(TOOLS)/moto/bin/pip install --quiet "moto[server]==$*"
	touch $@

# man pages and completions, from the definitions that the programs parse with
docs: deps-build
	rm -rf $(TARGET)/docs
	$(CARGO) run --release -p compat-tests --bin gen-docs -- $(TARGET)/docs

# LINKS=1 adds the names of EncFS's own programs; HELPER=1 the type encfs-rs for mount and fstab
install: build docs
	install -D -m 755 $(TARGET)/release/encfs-rs $(DESTDIR)$(PREFIX)/bin/encfs-rs
	install -D -m 755 $(TARGET)/release/encfsctl-rs $(DESTDIR)$(PREFIX)/bin/encfsctl-rs
	install -D -m 755 contrib/encfssh-rs $(DESTDIR)$(PREFIX)/bin/encfssh-rs
	install -D -m 644 contrib/encfssh-rs.1 $(DESTDIR)$(PREFIX)/share/man/man1/encfssh-rs.1
	for file in $$(cd $(TARGET)/docs && find share -type f); do \
		install -D -m 644 $(TARGET)/docs/$$file $(DESTDIR)$(PREFIX)/$$file || exit 1; \
	done
ifeq ($(LINKS),1)
	for file in $$(cd $(TARGET)/docs/links && find share -type f); do \
		install -D -m 644 $(TARGET)/docs/links/$$file $(DESTDIR)$(PREFIX)/$$file || exit 1; \
	done
	for name in encfs encfsctl encfssh; do \
		ln -sf $$name-rs $(DESTDIR)$(PREFIX)/bin/$$name && \
		ln -sf $$name-rs.1 $(DESTDIR)$(PREFIX)/share/man/man1/$$name.1 || exit 1; \
	done
endif
ifeq ($(HELPER),1)
	install -d $(DESTDIR)$(SBINDIR)
	ln -sf $(PREFIX)/bin/encfs-rs $(DESTDIR)$(SBINDIR)/mount.encfs-rs
endif
