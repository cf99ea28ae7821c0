package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/thediveo/lxkns/discover"
	"github.com/thediveo/lxkns/model"
	"github.com/thediveo/lxkns/species"
)

// One namespace that lxkns has found; ids are written as the kernel writes them, `net:[4026531840]`.
type foundNamespace struct {
	ID string `json:"id"`
	// The user namespace that owns it. For a user namespace, its parent.
	Owner string `json:"owner,omitempty"`
	// Only of pid and user namespaces.
	Parent string `json:"parent,omitempty"`
}

// Prints everything that lxkns finds, as JSON: a test compares it with what nsset finds.
func list() error {
	result := discover.Namespaces(discover.WithStandardDiscovery(), discover.FromTasks())
	found := []foundNamespace{}
	for _, namespaces := range result.Namespaces {
		for _, namespace := range namespaces {
			found = append(found, describe(namespace))
		}
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func describe(namespace model.Namespace) foundNamespace {
	found := foundNamespace{ID: idOf(namespace)}
	if below, isBelow := namespace.(model.Hierarchy); isBelow {
		if parent, isFound := below.Parent().(model.Namespace); isFound {
			found.Parent = idOf(parent)
		}
	}
	if namespace.Type() == species.CLONE_NEWUSER {
		found.Owner = found.Parent
	} else if owner, isFound := namespace.Owner().(model.Namespace); isFound {
		found.Owner = idOf(owner)
	}
	return found
}

func idOf(namespace model.Namespace) string {
	return fmt.Sprintf("%s:[%d]", namespace.Type().Name(), namespace.ID().Ino)
}
