package auth

import (
	"context"
	"errors"

	"mailauthd/internal/users"
)

// brokenDirectory is one that cannot be asked.
type brokenDirectory struct{}

func (brokenDirectory) Find(context.Context, string) (*users.User, error) {
	return nil, errors.New("out of order")
}
func (brokenDirectory) Decoy(string) *users.User { return nil }
func (brokenDirectory) HasMasters() bool         { return true }
