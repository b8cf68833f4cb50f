package users

import (
	"fmt"
	"slices"
	"testing"
)

// TestDecoysDoNotDependOnTheOrder tests that the same users become decoys in whatever order they are added.
func TestDecoysDoNotDependOnTheOrder(t *testing.T) {
	var list []*User
	for i := range 5 * MaxDecoys {
		list = append(list, &User{Name: fmt.Sprintf("user%d@x", i)})
	}
	var forward, backward Decoys
	for i := range list {
		forward.Add(list[i])
		backward.Add(list[len(list)-1-i])
	}
	if len(forward.list) != MaxDecoys || !slices.Equal(forward.list, backward.list) {
		t.Errorf("%d and %d decoys, or different ones", len(forward.list), len(backward.list))
	}
	if first, last := forward.list[0].hash, forward.list[MaxDecoys-1].hash; first >= last {
		t.Errorf("the hashes are from %d to %d", first, last)
	}
}

func TestDecoysReplace(t *testing.T) {
	var d Decoys
	if d.Choose("a@x") != nil || (*Decoys)(nil).Choose("a@x") != nil {
		t.Error("a decoy of none")
	}
	before, after := &User{Name: "bob@x"}, &User{Name: "bob@x"}
	d.Add(before)
	if d.Choose("a@x") != before {
		t.Error("not the only user")
	}
	d.Add(after)
	if d.Choose("a@x") != after || len(d.list) != 1 {
		t.Error("not the new entry of the user")
	}
}
