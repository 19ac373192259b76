package orders.kotlin

import kotlin.system.exitProcess

/** The demo of the Java folder, with the worker of this one. */
fun main(args: Array<String>): Unit = exitProcess(orders.Demo.run(WorkerProcess::class.java, args))
