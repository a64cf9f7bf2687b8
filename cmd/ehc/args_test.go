package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNormalise(t *testing.T) {
	for name, c := range map[string]struct{ in, want []string }{
		"one dash becomes two":                       {[]string{"plan", "-config", "x"}, []string{"plan", "--config", "x"}},
		"two dashes stay":                            {[]string{"plan", "--config", "x"}, []string{"plan", "--config", "x"}},
		"with an equals sign":                        {[]string{"plan", "-config=x"}, []string{"plan", "--config=x"}},
		"with two dashes and an equals sign":         {[]string{"plan", "--config=x"}, []string{"plan", "--config=x"}},
		"one letter is a short flag":                 {[]string{"plan", "-o", "json"}, []string{"plan", "-o", "json"}},
		"one letter with an equals sign":             {[]string{"plan", "-o=json"}, []string{"plan", "-o=json"}},
		"a flag without a value":                     {[]string{"plan", "-offline", "-config", "x"}, []string{"plan", "--offline", "--config", "x"}},
		"a flag before the command":                  {[]string{"-api", "unix:x", "status"}, []string{"--api", "unix:x", "status"}},
		"a value that looks like a flag":             {[]string{"plan", "-out", "-x.plan"}, []string{"plan", "--out", "-x.plan"}},
		"a value of a short flag":                    {[]string{"plan", "-o", "-config"}, []string{"plan", "-o", "-config"}},
		"a value that was assigned takes no more":    {[]string{"plan", "-out=a", "-offline"}, []string{"plan", "--out=a", "--offline"}},
		"nothing is a flag after two dashes":         {[]string{"emit", "--", "-config", "-x"}, []string{"emit", "--", "-config", "-x"}},
		"a dash alone is an argument":                {[]string{"emit", "-"}, []string{"emit", "-"}},
		"a number is an argument":                    {[]string{"emit", "-5", "-1.5"}, []string{"emit", "--", "-5", "-1.5"}},
		"a number before flags and arguments":        {[]string{"call", "m.f", "1", "-2", "-o", "json", "3", "-config=x"}, []string{"call", "m.f", "1", "-o", "json", "--config=x", "--", "-2", "3"}},
		"a number before two dashes":                 {[]string{"call", "m.f", "-2", "--", "-o"}, []string{"call", "m.f", "--", "-2", "-o"}},
		"a pair with a negative number":              {[]string{"emit", "x", "delta=-1"}, []string{"emit", "x", "delta=-1"}},
		"a flag that there is not":                   {[]string{"plan", "-confg", "-config", "x"}, []string{"plan", "--confg", "--config", "x"}},
		"a flag of a command below a command":        {[]string{"outbox", "list", "-limit", "-1"}, []string{"outbox", "list", "--limit", "-1"}},
		"a flag that wants a value and gets nothing": {[]string{"plan", "-config"}, []string{"plan", "--config"}},
		"help": {[]string{"-help"}, []string{"--help"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := normalise(newRootCommand(&streams{}), c.in)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("normalise(%q) (-want +got):\n%s", c.in, diff)
			}
		})
	}
}
