"""The decision port's server: gRPC without a thread between a call and its handler.

    core           all that is used of grpcio's inside, and what of it is relied on
    queue_loop     an asyncio event loop that waits on gRPC's completion queue
    queue_server   a server on that loop: methods, ports, start, drain
    server_call    one call, as handlers see it: the same as with grpc.aio

Handlers are those of `server.transport`, behind the same guard. The admin port, which
nobody calls a thousand times a second, is served by grpc.aio.
"""
