# The same commands for people and CI. Nothing but git, make and python3 need be
# there; what else they need they install.
#
#   make help        this; so does make alone, which starts nothing
#   make run         engine, ds01d and gateway, then a shell in a container of an
#                    ordinary user
#   make demo        the same without a prompt: checks every promise, tells a
#                    short story  (ARGS=--json)
#   make up          the three programs in the background  (STATE=DIR)
#   make down        ends them  (STATE=DIR)
#   make test        all tests  (ARGS="-k launch")
#   make hunt        tests by chance, ten times as often and with new examples
#                    (DS01_TESTS_HUNT=100)
#   make test-gpus   on a server with NVIDIA GPUs, as root: DS01 on the real ones
#   make check       format, lint, types, import contracts
#   make bench       measures against the budgets  (ARGS=--write)
#   make docs        writes the generated reference pages
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help run demo up down test hunt test-gpus check bench docs

help:
	@sed -n 's/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

run demo up down test hunt test-gpus check bench docs:
	@./dev/make $@ $(ARGS)
