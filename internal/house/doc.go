// Package house holds no code. Its test keeps the house in order: which package may
// import which, what stands at the top of the tree, how long a file may be.
package house
