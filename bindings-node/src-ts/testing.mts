// The same classes for both module systems.
export * from "./testing.js"
