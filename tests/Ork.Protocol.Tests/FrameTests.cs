namespace Ork.Protocol.Tests;

public sealed class FrameTests
{
    [Fact]
    public void A_header_is_length_kind_and_correlation_in_little_endian()
    {
        Span<byte> bytes = stackalloc byte[FrameHeader.Size];
        new FrameHeader(FrameKind.Request, 0x0102030405060708, 3).Write(bytes);
        Assert.Equal([12, 0, 0, 0, 3, 8, 7, 6, 5, 4, 3, 2, 1], bytes.ToArray());
        Assert.Null(FrameHeader.Read(bytes, 1024, out var header));
        Assert.Equal(new FrameHeader(FrameKind.Request, 0x0102030405060708, 3), header);
    }

    [Theory]
    [InlineData(1025u, 3, "ERR_FRAME_TOO_LARGE")]
    [InlineData(uint.MaxValue, 3, "ERR_FRAME_TOO_LARGE")]
    [InlineData(8u, 3, "ERR_FRAME_MALFORMED")]
    [InlineData(9u, 0, "ERR_FRAME_MALFORMED")]
    [InlineData(9u, 6, "ERR_FRAME_MALFORMED")]
    [InlineData(9u, 1, null)]
    [InlineData(9u, 5, null)]
    [InlineData(1024u, 5, null)]
    public void A_header_that_cannot_be_is_refused(uint length, byte kind, string? code)
    {
        var bytes = new byte[FrameHeader.Size];
        BitConverter.TryWriteBytes(bytes, length);
        bytes[4] = kind;
        Assert.Equal(code, FrameHeader.Read(bytes, 1024, out _)?.Code);
    }

    [Fact]
    public void The_most_payload_is_what_a_header_at_the_limit_announces()
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader(FrameKind.Response, 1, FrameHeader.MaxPayload(1024)).Write(bytes);
        Assert.Null(FrameHeader.Read(bytes, 1024, out var header));
        Assert.Equal(FrameHeader.MaxPayload(1024), header.PayloadLength);
        new FrameHeader(FrameKind.Response, 1, FrameHeader.MaxPayload(1024) + 1).Write(bytes);
        Assert.Equal("ERR_FRAME_TOO_LARGE", FrameHeader.Read(bytes, 1024, out _)?.Code);
    }

    [Theory]
    [InlineData("unix:/run/ork.sock", "unix:/run/ork.sock")]
    [InlineData("tcp://127.0.0.1:7420", "tcp://127.0.0.1:7420")]
    [InlineData("tcp://[::1]:7420", "tcp://[::1]:7420")]
    [InlineData("tcp://host", null)]
    [InlineData("tcp://host:70000", null)]
    [InlineData("tcp://:1", null)]
    [InlineData("unix:", null)]
    [InlineData("http://host:1", null)]
    [InlineData(null, null)]
    public void An_endpoint_is_a_path_or_a_host_and_port(string? text, string? expected) => Assert.Equal(expected, LinkEndpoint.TryParse(text)?.ToString());

    [Fact]
    public void The_path_of_an_endpoint_is_as_long_as_a_sockets_may_be_in_bytes()
    {
        Assert.NotNull(LinkEndpoint.TryParse("unix:/" + new string('x', LinkEndpoint.MaxPathBytes - 1)));
        Assert.Null(LinkEndpoint.TryParse("unix:/" + new string('x', LinkEndpoint.MaxPathBytes)));
        Assert.Null(LinkEndpoint.TryParse("unix:/" + new string('ä', LinkEndpoint.MaxPathBytes / 2)));
    }

    [Fact]
    public void Full_jitter_stays_within_its_ceiling_and_ids_are_ordered_by_time()
    {
        var entropy = new CountingEntropy();
        for (var attempt = 0; attempt < 70; attempt++) Assert.InRange(entropy.FullJitterMs(attempt, 100, 5_000), 0, Math.Min(5_000, attempt < 32 ? 100L << attempt : 5_000));
        var ids = Enumerable.Range(0, 50).Select(ms => entropy.NextId(1_700_000_000_000 + ms).ToString()).ToArray();
        Assert.Equal(ids.Order(StringComparer.Ordinal), ids);
        Assert.All(ids, id => Assert.Equal('7', id[14]));
    }

    private sealed class CountingEntropy : IEntropy
    {
        private ulong _state = 42;

        public ulong NextBits() => _state = (_state * 6364136223846793005UL) + 1442695040888963407UL;
    }
}
