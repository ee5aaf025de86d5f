#: make install       programs, man pages, completion, unit (DESTDIR=, PREFIX=)
#                     As root below /usr also what the unit needs: the user
#                     ringmaker and /etc/ringmaker/ringmaker.yaml
PREFIX  ?= /usr/local
DESTDIR ?=
DEST    := $(DESTDIR)$(PREFIX)
install: all
	install -d $(DEST)/bin $(DEST)/share/man/man1 $(DEST)/share/ringmaker \
	    $(DEST)/share/ringmaker/captures \
	    $(DEST)/share/bash-completion/completions \
	    $(DEST)/lib/systemd/system $(DEST)/lib/sysusers.d
	install -m 755 $(ALL_BINS) $(DEST)/bin
	install -m 644 docs/man/*.1 $(DEST)/share/man/man1
	install -m 644 etc/*.yaml $(DEST)/share/ringmaker
	install -m 644 $(wildcard simvenue/captures/*) \
	    $(DEST)/share/ringmaker/captures
	install -m 644 $(wildcard etc/completion/*) \
	    $(DEST)/share/bash-completion/completions
	sed 's,/usr/local/,$(PREFIX)/,g' etc/ringmaker.service \
	    >$(DEST)/lib/systemd/system/ringmaker.service
	install -m 644 etc/ringmaker.sysusers \
	    $(DEST)/lib/sysusers.d/ringmaker.conf
	sh etc/install.sh '$(DESTDIR)' '$(PREFIX)'

uninstall:
	rm -f $(addprefix $(DEST)/bin/,$(notdir $(ALL_BINS))) \
	    $(addprefix $(DEST)/share/man/man1/,$(notdir $(wildcard docs/man/*.1))) \
	    $(addprefix $(DEST)/share/bash-completion/completions/,$(notdir $(wildcard etc/completion/*))) \
	    $(DEST)/lib/systemd/system/ringmaker.service \
	    $(DEST)/lib/sysusers.d/ringmaker.conf
	rm -rf $(DEST)/share/ringmaker
.PHONY: install uninstall
