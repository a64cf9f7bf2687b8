// Package monitoring_test holds the files of this folder against a real scrape: two
// controllers, one of which delivers to the other.
package monitoring_test

import (
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"ehc/controller/telemetry"
)

// counted is what a controller counts that has done what scraped has it do.
var counted = []string{
	"ehc_connections", "ehc_connections_opened_total", "ehc_dials_total", "ehc_outbox_enqueued_total",
	"ehc_outbox_delivered_total", "ehc_inbox_events_total", "ehc_rpc_calls_total", "ehc_rpc_served_total",
	"ehc_drain_batch_events_count", "ehc_drain_call_duration_seconds_sum", "ehc_store_commit_duration_seconds_sum",
	"ehc_store_size_bytes", "ehc_store_volume_available_bytes", "ehc_reconcile_pass_duration_seconds_count",
	"ehc_reconcile_actions_total", "ehc_api_requests_total", "ehc_queries", "ehc_app_condition", "ehc_build_info",
	"ehc_config_applied_timestamp_seconds", "ehc_dial_failures_total", "ehc_dns_questions_total", "go_goroutines", "process_open_fds",
}

func TestTheFilesAgreeWithAScrape(t *testing.T) {
	spans := &spans{}
	s, event := scraped(t, spans)
	t.Run("the life of an event is a trace, and no secret is in any", func(t *testing.T) {
		trace := telemetry.EventTrace(event)
		await(t, "an enqueue and a deliver of "+event, func() bool { return spans.has(trace, "enqueue") && spans.has(trace, "deliver") })
		await(t, "a pass", func() bool { return spans.has("", "pass") && spans.has("", "drain") })
		for _, secret := range []string{"monster-of-the-test", "/blog", "page_id"} {
			if spans.contain(secret) {
				t.Errorf("a span has %s in it", secret)
			}
		}
	})
	t.Run("every series that an alert or a panel names is there", func(t *testing.T) {
		n := 0
		for where, expr := range expressions(t) {
			n++
			e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
			if err != nil {
				t.Errorf("%s: %v in %s", where, err, expr)
				continue
			}
			parser.Inspect(e, func(node parser.Node, _ []parser.Node) error {
				switch node := node.(type) {
				case *parser.VectorSelector:
					s.checkSelector(t, where, node)
				case *parser.AggregateExpr:
					s.checkGrouping(t, where, node)
				}
				return nil
			})
		}
		if n < 40 {
			t.Errorf("only %d expressions were found: have the files another form?", n)
		}
	})
	t.Run("every series is in the README, and no other", func(t *testing.T) {
		if diff := cmp.Diff(documented(t), s.families()); diff != "" {
			t.Errorf("documented (-) and there (+): %s", diff)
		}
	})
	t.Run("no label is a node", func(t *testing.T) {
		for name, all := range s {
			for _, one := range all {
				for label, value := range one.labels {
					if strings.Contains(value, "@") {
						t.Errorf("%s has the label %s=%q", name, label, value)
					}
				}
			}
		}
	})
}

// series are the samples of a scrape by their names.
type series map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// lacking are the families that are not there, and the names of which nothing has been
// counted.
func (s series) lacking(families []string) (all []string) {
	there := s.families()
	for _, f := range families {
		if !slices.Contains(there, f) {
			all = append(all, f)
		}
	}
	for _, name := range counted {
		if s.sum(name) <= 0 {
			all = append(all, name)
		}
	}
	return all
}

// sum adds up what has the name.
func (s series) sum(name string) float64 {
	total := 0.0
	for _, one := range s[name] {
		total += one.value
	}
	return total
}

// checkSelector fails the test unless a sample has the name, and the labels that
// the selector looks at, with a value that it takes.
func (s series) checkSelector(t *testing.T, where string, v *parser.VectorSelector) {
	t.Helper()
	name := ""
	for _, m := range v.LabelMatchers {
		if m.Name == model.MetricNameLabel {
			name = m.Value
		}
	}
	if name == "up" { // Prometheus's own
		return
	}
	if len(s[name]) == 0 {
		t.Errorf("%s names %s, which is not there", where, name)
		return
	}
	fits := slices.ContainsFunc(s[name], func(one sample) bool {
		return !slices.ContainsFunc(v.LabelMatchers, func(m *labels.Matcher) bool {
			if m.Name == model.MetricNameLabel || fromPrometheus(m.Name) {
				return false
			}
			value, ok := one.labels[m.Name]
			return !ok || !m.Matches(value)
		})
	})
	if !fits {
		t.Errorf("%s: nothing is like %s", where, v)
	}
}

// checkGrouping fails the test if an aggregation keeps a label that what it sums up
// does not have.
func (s series) checkGrouping(t *testing.T, where string, a *parser.AggregateExpr) {
	t.Helper()
	parser.Inspect(a.Expr, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok || len(s[v.Name]) == 0 {
			return nil
		}
		for _, label := range a.Grouping {
			if _, ok := s[v.Name][0].labels[label]; !ok && !fromPrometheus(label) {
				t.Errorf("%s: %s has no label %s", where, v.Name, label)
			}
		}
		return nil
	})
}

// fromPrometheus says that a label is put on by the scrape.
func fromPrometheus(label string) bool { return label == "instance" || label == "job" }

// families are ehc's series as the README has them: with their labels, a histogram
// as one.
func (s series) families() []string {
	found := map[string]bool{}
	for name, samples := range s {
		if !strings.HasPrefix(name, "ehc_") {
			continue
		}
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if cut, ok := strings.CutSuffix(name, suffix); ok && len(s[cut+"_bucket"]) > 0 {
				base = cut
			}
		}
		for _, one := range samples {
			var names []string
			for label := range one.labels {
				if label != "le" {
					names = append(names, label)
				}
			}
			slices.Sort(names)
			found[base+" "+strings.Join(names, " ")] = true
		}
	}
	all := []string{}
	for f := range found {
		all = append(all, f)
	}
	slices.Sort(all)
	return all
}

var row = regexp.MustCompile("(?m)^\\| `(ehc_[a-z_]+)` \\| (?:counter|gauge|histogram) \\| ([^|]*)\\|")

// documented reads the table of the README.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		names := strings.Fields(strings.ReplaceAll(m[2], "`", ""))
		slices.Sort(names)
		all = append(all, m[1]+" "+strings.Join(names, " "))
	}
	slices.Sort(all)
	return all
}

// expressions are those of the alerts and of the dashboard, each with where it
// stands.
func expressions(t *testing.T) iter.Seq2[string, string] {
	t.Helper()
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	read(t, "alerts.yml", yaml.Unmarshal, &rules)
	var board any
	read(t, "dashboard.json", json.Unmarshal, &board)
	return func(yield func(string, string) bool) {
		for _, g := range rules.Groups {
			for _, r := range g.Rules {
				if !yield("alert "+r.Alert, r.Expr) {
					return
				}
			}
		}
		walk(board, "dashboard", yield)
	}
}

func read(t *testing.T, name string, parse func([]byte, any) error, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err == nil {
		err = parse(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

var (
	variable    = regexp.MustCompile(`=~"\$[a-z]+"`)
	labelValues = regexp.MustCompile(`^label_values\(([a-z_]+), ([a-z_]+)\)$`)
)

// walk yields what stands under "expr" and "query" in JSON, with Grafana's
// variables filled in.
func walk(v any, where string, yield func(string, string) bool) bool {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if !walk(e, where, yield) {
				return false
			}
		}
	case map[string]any:
		if title, ok := v["title"].(string); ok {
			where = fmt.Sprintf("panel %q", title)
		}
		for key, e := range v {
			text, isText := e.(string)
			switch {
			case !isText:
				if !walk(e, where, yield) {
					return false
				}
			case key == "expr":
				text = strings.ReplaceAll(text, "$__rate_interval", "1m")
				if !yield(where, variable.ReplaceAllString(text, `=~".*"`)) {
					return false
				}
			case key == "query" && labelValues.MatchString(text):
				m := labelValues.FindStringSubmatch(text)
				if !yield("a variable", fmt.Sprintf("sum by (%s) (%s)", m[2], m[1])) {
					return false
				}
			}
		}
	}
	return true
}
