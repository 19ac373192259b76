package io.github.everstep.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * Purges with force, which no client of ours does: Dapr 1.18 dies of it where the instance is missing. These are there,
 * and nothing else works on a stalled one.
 *
 * <p>The JDK's HTTP client cannot begin with HTTP/2 on a plain connection, so these are its few frames by hand. What
 * Dapr answers is not read: whether it purged something is seen in the next listing.
 */
final class ForcedPurge implements Closeable {
    private static final String PATH = "/TaskHubSidecarService/PurgeInstances";
    private static final int PATIENCE_MS = 10_000;
    private static final int DATA = 0, HEADERS = 1, RESET = 3, SETTINGS = 4, PING = 6, GO_AWAY = 7;
    private static final int END_STREAM = 1, END_HEADERS = 4, ACK = 1;

    private final Socket socket = new Socket();
    private final DataInputStream in;
    private final DataOutputStream out;
    private int stream = -1;

    ForcedPurge(int port) throws IOException {
        socket.setSoTimeout(PATIENCE_MS);
        socket.setTcpNoDelay(true);
        socket.connect(new InetSocketAddress("127.0.0.1", port), PATIENCE_MS);
        in = new DataInputStream(socket.getInputStream());
        out = new DataOutputStream(socket.getOutputStream());
        out.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(UTF_8));
        send(SETTINGS, 0, 0, new byte[0]);
    }

    /** Purges one, and waits for the end of the answer. */
    void purge(String instanceId) throws IOException {
        stream += 2;
        send(HEADERS, END_HEADERS, stream, headers());
        send(DATA, END_STREAM, stream, framed(request(instanceId)));
        while (!isAnswered()) {}
    }

    private boolean isAnswered() throws IOException {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte(), flags = in.readUnsignedByte(), of = in.readInt();
        byte[] payload = in.readNBytes(length);
        if (type == GO_AWAY || type == RESET && of == stream) throw new IOException("the sidecar has refused a purge");
        if (type == SETTINGS && flags != ACK) send(SETTINGS, ACK, 0, new byte[0]);
        if (type == PING && flags != ACK) send(PING, ACK, 0, payload);
        return (type == HEADERS || type == DATA) && of == stream && (flags & END_STREAM) != 0;
    }

    private void send(int type, int flags, int of, byte[] payload) throws IOException {
        out.writeByte(payload.length >> 16);
        out.writeShort(payload.length);
        out.writeByte(type);
        out.writeByte(flags);
        out.writeInt(of);
        out.write(payload);
        out.flush();
    }

    private static byte[] headers() {
        var block = new ByteArrayOutputStream();
        header(block, ":method", "POST");
        header(block, ":scheme", "http");
        header(block, ":path", PATH);
        header(block, ":authority", "127.0.0.1");
        header(block, "content-type", "application/grpc");
        header(block, "te", "trailers");
        return block.toByteArray();
    }

    /** As HPACK has it: a literal that is not indexed, with a new name. */
    private static void header(ByteArrayOutputStream block, String name, String value) {
        block.write(0);
        text(block, name);
        text(block, value);
    }

    /** {@code PurgeInstancesRequest} with {@code instanceId} and {@code force}. */
    private static byte[] request(String instanceId) {
        var message = new ByteArrayOutputStream();
        message.write(0x0a);
        text(message, instanceId);
        message.writeBytes(new byte[] {0x20, 1});
        return message.toByteArray();
    }

    /** A text with its length before it, which fits into seven bits. */
    private static void text(ByteArrayOutputStream block, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        if (bytes.length > 126) throw new IllegalArgumentException(text + " is too long");
        block.write(bytes.length);
        block.writeBytes(bytes);
    }

    /** A message as gRPC frames it: not compressed, and its length. */
    private static byte[] framed(byte[] message) {
        var framed = new ByteArrayOutputStream();
        framed.writeBytes(new byte[] {0, 0, 0, 0, (byte) message.length});
        framed.writeBytes(message);
        return framed.toByteArray();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
