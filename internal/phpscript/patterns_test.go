package phpscript

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A script with a regular expression for each of many domains is read in time.
func TestPHPManyPatterns(t *testing.T) {
	var list strings.Builder
	for i := range 400 {
		fmt.Fprintf(&list, "'d%d.test',", i)
	}
	start := time.Now()
	r, err := Convert(before+`foreach ([`+list.String()+`] as $x) if (preg_match("/@$x$/", $u)) $s = '10.0.0.1';`+after,
		Script{Name: "s.php", HasUser: nobody, HasGroup: nobody})
	if err != nil || strings.Count(r.Servers, "[domains.") != 400 {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}
