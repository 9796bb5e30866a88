# plumb: make run, make test. Everything else is for those who change it.
GO      ?= go
TAGS    := gosnmp_nodebug
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD   := -trimpath -tags $(TAGS) -ldflags "-s -w -X main.version=$(VERSION)"
# The race detector needs a C compiler; where there is none the tests say so.
CC_HERE := $(shell command -v $${CC:-cc} 2>/dev/null || command -v gcc 2>/dev/null)
RACE    := $(if $(CC_HERE),-race,)
STATIC  := $(GO) tool -modfile=tools/go.mod staticcheck

.PHONY: build run test lint peers peers-openstack bench bench-engine bench-alert bench-store bench-snmp bench-ipmi bench-console bench-demo crash kills week soak fuzz clean

build:
	CGO_ENABLED=0 $(GO) build $(BUILD) -o plumb .

run: build
	./plumb demo --db ./plumb-data/demo

test:
	@$(if $(CC_HERE),:,echo "no C compiler: testing without the race detector")
	$(GO) test -tags $(TAGS) $(RACE) -timeout 20m ./...
	$(if $(RACE),$(GO) test -tags $(TAGS) ./internal/week,)

lint:
	@out=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$out" || { echo "gofmt:"; echo "$$out"; exit 1; }
	$(GO) vet -tags $(TAGS) ./...
	$(STATIC) -tags $(TAGS) ./...
	$(GO) test -count=1 -run 'TestFloors' .
	@echo "govulncheck: skipped, its database cannot be reached from here"

# Tests against real software: ipmi_sim, ipmitool, FreeIPMI, net-snmp, snmpsim, Alertmanager, Prometheus, Postfix, rsyslog.
peers:
	@sh .ci/peers.sh
	PLUMB_PEERS=1 $(GO) test -tags $(TAGS) -count=1 -timeout 15m -run '^TestPeer' ./probes/... ./console ./console/notify ./console/remotewrite ./views/export

# The real OpenStack of ../shared/peers/cloud: minutes and 1.6 GB, so by hand.
peers-openstack:
	trap 'bash ../shared/peers/cloud/openstack.sh down' EXIT; bash ../shared/peers/cloud/openstack.sh up 3 && \
	PLUMB_PEERS=1 PLUMB_OPENSTACK=1 $(GO) test -tags $(TAGS) -count=1 -timeout 30m -v -run '^TestPeer' ./probes/cloud

# One JSON line a measurement: medians of processor time, beside a peer where one
# is installed. When a benchmark cannot measure, all it said is shown.
bench: bench-engine bench-alert bench-store bench-snmp bench-ipmi bench-console bench-demo

measure = @out=$$(mktemp) && { PLUMB_PEERS=1 PLUMB_BENCH=1 $(GO) test $(2) -tags $(TAGS) -v -timeout 30m -benchtime 1x $(1) >$$out 2>&1 || { cat $$out; rm -f $$out; exit 1; }; \
	grep '^{"bench"' $$out || grep -B1 SKIP $$out; rm -f $$out; }

bench-engine:
	$(call measure,-run '^$$' -bench . -skip Alerts ./fleet/engine)

bench-alert:
	$(call measure,-run '^$$' -bench Alerts ./fleet/engine)
	$(call measure,-run '^TestMeasure(Storm|DeadAlertmanager)' .)

bench-store:
	$(call measure,-run '^TestMeasure' -bench . ./store)
	$(call measure,-run '^TestMeasure' .,-C store/peerbench)
	$(call measure,-run '^$$' -bench Start .)

bench-snmp:
	$(call measure,-run '^$$' -bench . ./probes/snmp)

bench-ipmi:
	$(call measure,-run TestPeerBench ./probes/ipmi)

bench-console:
	$(call measure,-run '^$$' -bench . ./console ./console/config ./console/remotewrite)

bench-demo: build
	$(call measure,-run '^$$' -bench Demo .)

# A writer killed 200 times, every call of a run failing in turn, and the power
# cut after each. The last two want strace.
crash:
	PLUMB_CRASH_ROUNDS=200 $(GO) test -tags $(TAGS) -count=1 -timeout 90m -run Crash -v ./store

# Each decoder fed with what nobody wrote, for a while. Not part of the gate.
FUZZTIME ?= 20s

fuzz:
	@grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' . | while IFS=: read -r file name; do \
		$(GO) test -tags $(TAGS) -run '^$$' -fuzz "^$${name#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname $$file)" || exit 1; \
	done

# The demo killed once a minute, for an hour: what was shown then is asked again.
kills: build
	PLUMB_KILLS=$${PLUMB_KILLS:-60} $(GO) test -tags $(TAGS) -count=1 -timeout 3h -run TestKillsLeaveNoSeam -v .

# The scripted week, whole: precision and recall of every judgement. The gate
# plays its first days.
week:
	PLUMB_WEEK=1 $(GO) test -tags $(TAGS) -count=1 -timeout 20m -v -run 'Week$$' ./internal/week

soak:
	PLUMB_SOAK=1 $(GO) test -tags $(TAGS) -count=1 -timeout 2h ./...

clean:
	rm -f plumb
