using System.Buffers;
using System.Text;

namespace Ork.Protocol.Tests;

public sealed class EnvelopeTests
{
    private const string Good =
        """{"id":"a","version":"0.2.0","type":"request","action":"health.ping","sender":"s","target":null,"deviceId":"d","timestamp":1,"payload":{"x":1}}""";

    [Fact]
    public void A_good_envelope_is_read_in_place()
    {
        Assert.Null(Read(Good, out var envelope));
        Assert.Equal("a", envelope.Id.Decode());
        Assert.Equal(MessageType.Request, envelope.Type);
        Assert.Equal(OrkAction.HealthPing, envelope.Action);
        Assert.Equal("d", envelope.DeviceId.Decode());
        Assert.True(envelope.Target.IsEmpty);
        Assert.Equal("""{"x":1}""", Encoding.UTF8.GetString(envelope.Payload.Span));
    }

    [Theory]
    [InlineData("", "ERR_FRAME_NOT_JSON")]
    [InlineData("{", "ERR_FRAME_NOT_JSON")]
    [InlineData("{} x", "ERR_FRAME_NOT_JSON")]
    [InlineData("nul", "ERR_FRAME_NOT_JSON")]
    [InlineData("""{"id":"\ud800"}""", "ERR_FRAME_NOT_JSON")]
    [InlineData("[]", "ERR_ENVELOPE_NOT_OBJECT")]
    [InlineData("null", "ERR_ENVELOPE_NOT_OBJECT")]
    [InlineData("7", "ERR_ENVELOPE_NOT_OBJECT")]
    [InlineData("{}", "ERR_ENVELOPE_ID_MISSING")]
    [InlineData("""{"id":7}""", "ERR_ENVELOPE_ID_MISSING")]
    [InlineData("""{"id":""}""", "ERR_ENVELOPE_ID_MISSING")]
    [InlineData("""{"id":"a"}""", "ERR_ENVELOPE_VERSION_MISSING")]
    [InlineData("""{"id":"a","version":"0.2.0"}""", "ERR_ENVELOPE_TYPE_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"push"}""", "ERR_ENVELOPE_TYPE_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"event"}""", "ERR_ENVELOPE_ACTION_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":[]}""", "ERR_ENVELOPE_ACTION_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"no.such"}""", "ERR_ENVELOPE_ACTION_UNKNOWN")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"health.ping"}""", "ERR_ENVELOPE_SENDER_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"health.ping","sender":"s"}""", "ERR_ENVELOPE_TIMESTAMP_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"health.ping","sender":"s","timestamp":0}""", "ERR_ENVELOPE_TIMESTAMP_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"health.ping","sender":"s","timestamp":"1"}""", "ERR_ENVELOPE_TIMESTAMP_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"health.ping","sender":"s","timestamp":1,"payload":[]}""", "ERR_ENVELOPE_PAYLOAD_INVALID")]
    [InlineData("""{"id":"a","version":"0.2.0","type":"request","action":"health.ping","sender":"s","timestamp":1,"payload":7}""", "ERR_ENVELOPE_PAYLOAD_INVALID")]
    public void What_breaks_a_rule_is_refused_with_the_first_rule_it_breaks(string json, string code) => Assert.Equal(code, Read(json, out _)?.Code);

    [Fact]
    public void The_order_of_members_does_not_change_the_refusal() =>
        Assert.Equal("ERR_ENVELOPE_VERSION_MISSING", Read("""{"payload":[],"timestamp":0,"action":"x","type":"x","id":"a"}""", out _)?.Code);

    [Fact]
    public void Bytes_that_are_no_text_are_refused() =>
        Assert.Equal("ERR_FRAME_NOT_JSON", EnvelopeReader.Read(new byte[] { (byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}' }, out _)?.Code);

    [Fact]
    public void Nesting_beyond_the_limit_is_refused_and_not_recursed_into() =>
        Assert.Equal("ERR_FRAME_NOT_JSON", Read(new string('[', 100_000), out _)?.Code);

    [Fact]
    public void A_refused_envelope_still_tells_its_id_and_action()
    {
        Assert.NotNull(Read(Good.Replace("\"timestamp\":1", "\"timestamp\":0", StringComparison.Ordinal), out var envelope));
        Assert.Equal("a", envelope.Id.Decode());
        Assert.Equal(OrkAction.HealthPing, envelope.Action);
    }

    [Fact]
    public void What_is_written_is_read_back_with_payload_and_unknown_members_untouched()
    {
        var odd = Good.Replace("\"payload\":{\"x\":1}", "\"trace\": {\"z\" :[1, 2]},\"payload\": { \"x\" : 1.50 },\"span\":\"s\"", StringComparison.Ordinal)
            .Replace("\"id\":\"a\"", "\"id\":\"\\u00e4\\n\"", StringComparison.Ordinal);
        Assert.Null(Read(odd, out var first));
        var buffer = new ArrayBufferWriter<byte>();
        EnvelopeWriter.Write(buffer, in first);
        Assert.Null(EnvelopeReader.Read(buffer.WrittenMemory, out var second));
        Assert.Equal("ä\n", second.Id.Decode());
        Assert.Equal("{ \"x\" : 1.50 }", Encoding.UTF8.GetString(second.Payload.Span));
        Assert.Equal("\"trace\": {\"z\" :[1, 2]},\"span\":\"s\",", Encoding.UTF8.GetString(second.Unknown.Span));
    }

    [Theory]
    [InlineData("""{"id":"b","action":"command.request"}""")]
    [InlineData("""["b",{"id":"b"}]""")]
    [InlineData("7")]
    public void A_text_that_is_none_is_not_there_and_what_stands_in_its_place_is_no_member(string value)
    {
        Assert.Null(Read(Good.Replace("\"deviceId\":\"d\"", $"\"deviceId\":{value}", StringComparison.Ordinal), out var envelope));
        Assert.Equal(("a", OrkAction.HealthPing, true), (envelope.Id.Decode(), envelope.Action, envelope.DeviceId.IsEmpty));
    }

    [Fact]
    public void Every_action_has_a_name_that_leads_back_to_it()
    {
        foreach (var action in OrkActions.All)
        {
            Assert.Null(Read(Good.Replace("health.ping", OrkActions.NameOf(action), StringComparison.Ordinal), out var envelope));
            Assert.Equal(action, envelope.Action);
        }
    }

    [Fact]
    public void Reading_a_plain_envelope_allocates_nothing()
    {
        var frame = Encoding.UTF8.GetBytes(Good).AsMemory();
        EnvelopeReader.Read(frame, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) EnvelopeReader.Read(frame, out _);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static ErrorCode? Read(string json, out Envelope envelope) => EnvelopeReader.Read(Encoding.UTF8.GetBytes(json), out envelope);
}
