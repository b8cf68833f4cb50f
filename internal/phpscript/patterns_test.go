package phpscript

import (
	"fmt"
	"strings"
	"testing"
)

// A script with a regular expression for each of many domains has each read once, and not once in each run.
func TestPHPManyPatterns(t *testing.T) {
	const domains = 100
	var list strings.Builder
	for i := range domains {
		fmt.Fprintf(&list, "'d%d.test',", i)
	}
	tokens, err := tokenize(before + `foreach ([` + list.String() + `] as $x) if (preg_match("/@$x$/", $u)) $s = '10.0.0.1';` + after)
	if err != nil {
		t.Fatal(err)
	}
	x := newExplorer(parseScript(tokens))
	r, err := x.migrate(Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
	if err != nil || strings.Count(r.Servers, "[domains.") != domains {
		t.Errorf("%v", err)
	}
	if limit := domains * domains * patternSteps; x.steps >= limit { // about what reading all of them in each run takes
		t.Errorf("%d steps, want less than %d", x.steps, limit)
	}
}
