// Package files keeps state in files of the user who runs the process: tokens
// between runs, and locks between processes. Part of it may be deleted at any time
// while nothing runs.
//
//	store := files.New(dir) // made when something is first kept
//
// Below the folder, which only its owner can enter, tokens/ has one file for
// each token, which is as secret as the password that it stands for, and locks/
// one empty file, of which each lock is two bytes.
package files
