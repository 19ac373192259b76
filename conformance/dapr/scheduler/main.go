// The scheduler service of Dapr, as it is.
package main

import "github.com/dapr/dapr/cmd/scheduler/app"

func main() { app.Run() }
