# The same commands for people and CI.
.PHONY: run demo up down test check bench docs

run demo up down test check bench docs:
	@./dev/make $@ $(ARGS)
