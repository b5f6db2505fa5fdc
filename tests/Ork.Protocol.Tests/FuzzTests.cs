using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Ork.Protocol.Tests;

public sealed class FuzzTests
{
    /// <summary>Fewer where the same tests run many times, as under mutation: ORK_FUZZ_FRAMES says how many.</summary>
    private static readonly int Frames = int.TryParse(Environment.GetEnvironmentVariable("ORK_FUZZ_FRAMES"), System.Globalization.CultureInfo.InvariantCulture, out var frames) ? frames : 20_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_bytes_give_an_envelope_or_a_code(int seed)
    {
        var fuzzer = new FrameFuzzer(seed);
        var accepted = 0;
        for (var i = 0; i < Frames; i++)
        {
            if (FrameFuzzer.Try(fuzzer.Next())) accepted++;
        }

        // A fuzzer whose every frame is refused at the door tests only the door.
        Assert.InRange(accepted, Frames / 100, Frames * 95 / 100);
    }

    [Fact]
    public void Every_cut_of_a_frame_gives_an_envelope_or_a_code()
    {
        foreach (var sample in FrameFuzzer.Samples)
        {
            var bytes = Encoding.UTF8.GetBytes(sample);
            for (var length = 0; length < bytes.Length; length++) FrameFuzzer.Try(bytes.AsMemory(0, length));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_frame_as_our_writer_writes_it_is_read_as_the_same_frame_written_otherwise(int seed)
    {
        var random = new Random(seed);
        var accepted = 0;
        for (var i = 0; i < Frames; i++)
        {
            var frame = AsWritten(FrameFuzzer.Samples[random.Next(FrameFuzzer.Samples.Length)]);
            for (var change = random.Next(4); change > 0; change--) frame[random.Next(2, frame.Length)] = Likely[random.Next(Likely.Length)];

            // A space where the writer puts none: token by token is the only way to read it.
            byte[] otherwise = [frame[0], (byte)' ', .. frame.AsSpan(1)];
            var error = EnvelopeReader.Read(frame, out var one);
            Assert.Equal(EnvelopeReader.Read(otherwise, out var other), error);
            Assert.Equal(Told(in other), Told(in one));
            if (error is null) accepted++;
        }

        Assert.InRange(accepted, Frames / 10, Frames * 9 / 10);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_payload_says_member_by_member_what_a_document_of_it_says(int seed)
    {
        var random = new Random(seed);
        var members = 0;
        for (var i = 0; i < Frames; i++)
        {
            var frame = Encoding.UTF8.GetBytes(FrameFuzzer.Samples[random.Next(FrameFuzzer.Samples.Length)]);
            for (var change = random.Next(4); change > 0; change--) frame[random.Next(2, frame.Length)] = Likely[random.Next(Likely.Length)];
            if (EnvelopeReader.Read(frame, out var envelope) is not null || envelope.Payload.IsEmpty) continue;
            foreach (var space in (string[])["", " ", "\n\t"])
            {
                var payload = Spaced(envelope.Payload.Span, space);
                using var document = JsonDocument.Parse(payload);
                members += CheckMembers(document.RootElement, payload);
            }
        }

        Assert.True(members > Frames, $"{members} members.");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("[1,2]")]
    [InlineData("{")]
    [InlineData("{\"a")]
    [InlineData("{\"a\"")]
    [InlineData("{\"a\":")]
    [InlineData("{\"a\":[1,{")]
    [InlineData("{\"a\":\"b\\")]
    [InlineData("{\"a\",\"b\"}")]
    public void A_payload_that_is_no_object_comes_to_an_end(string text)
    {
        var reader = new PayloadReader(Encoding.UTF8.GetBytes(text));
        for (var members = 0; reader.Next(); members++)
        {
            Assert.True(members < text.Length);
            _ = (reader.Name(), reader.Kind, reader.Text(), reader.Integer(), reader.Number(), reader.Boolean(), reader.Raw(), reader.Elements());
        }
    }

    [Fact]
    public void What_is_taken_for_plain_is_well_formed_and_most_is_taken_for_it()
    {
        var random = new Random(1);
        var plain = 0;
        string[] samples = [.. FrameFuzzer.Samples, """{"a":[[],{},[1,-2.5e-3,0.0,true],{"b":{"c":null}}],"d":"e","f":false}""", """{"a":[[[[[[1]]]]]],"b":[]}"""];
        for (var i = 0; i < Frames; i++)
        {
            var json = Encoding.UTF8.GetBytes(samples[random.Next(samples.Length)].Replace(" ", "", StringComparison.Ordinal));
            for (var change = random.Next(3); change > 0; change--) json[random.Next(json.Length)] = Likely[random.Next(Likely.Length)];
            for (var depth = 1; depth <= 8; depth++)
            {
                if (!PlainJson.IsObject(json, depth)) continue;
                plain++;
                var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = depth });
                Assert.True(reader.Read());
                Assert.Equal(JsonTokenType.StartObject, reader.TokenType);
                reader.Skip();
                Assert.False(reader.Read());
            }
        }

        Assert.True(plain > Frames, $"{plain} of {8 * Frames}");
    }

    private static int CheckMembers(JsonElement element, ReadOnlyMemory<byte> json)
    {
        var reader = new PayloadReader(json);
        var members = 0;
        foreach (var member in element.EnumerateObject())
        {
            members++;
            Assert.True(reader.Next());
            Assert.Equal(NameOf(member), reader.Name());
            if (NameOf(member) is { } name)
            {
                Assert.True(reader.Is(Encoding.UTF8.GetBytes(name)));
                Assert.False(reader.Is(Encoding.UTF8.GetBytes(name + "x")));
            }

            CheckValue(member.Value, ref reader);
        }

        Assert.False(reader.Next());
        Assert.False(reader.Next());
        return members;
    }

    private static void CheckValue(JsonElement value, ref PayloadReader reader)
    {
        Assert.Equal(value.ValueKind, reader.Kind switch
        {
            JsonTokenType.StartObject => JsonValueKind.Object,
            JsonTokenType.StartArray => JsonValueKind.Array,
            JsonTokenType.String => JsonValueKind.String,
            JsonTokenType.Number => JsonValueKind.Number,
            JsonTokenType.True => JsonValueKind.True,
            JsonTokenType.False => JsonValueKind.False,
            _ => JsonValueKind.Null,
        });
        Assert.Equal(value.GetRawText(), Encoding.UTF8.GetString(reader.Raw().Span));
        Assert.Equal(value.ValueKind == JsonValueKind.Null, reader.IsNull);
        Assert.Equal(TextOf(value), reader.Text());
        Assert.Equal(TextOf(value), PayloadReader.TextOf(reader.Raw()));
        Assert.Equal(value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var whole) ? whole : null, reader.Integer());
        Assert.Equal(value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) ? number : null, reader.Number());
        Assert.Equal(value.ValueKind switch { JsonValueKind.True => true, JsonValueKind.False => false, _ => (bool?)null }, reader.Boolean());
        Assert.Equal(value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().Select(static one => one.GetRawText()) : null, reader.Elements()?.Select(static one => Encoding.UTF8.GetString(one.Span)));
        if (value.ValueKind == JsonValueKind.Object) CheckMembers(value, reader.Raw());
    }

    private static string? NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The same JSON with space around everything that may have some.</summary>
    private static byte[] Spaced(ReadOnlySpan<byte> json, string space)
    {
        var spaced = new List<byte>();
        var (isText, isEscaped) = (false, false);
        foreach (var next in json)
        {
            var parts = !isText && "{}[],:"u8.Contains(next);
            if (parts) spaced.AddRange(Encoding.UTF8.GetBytes(space));
            spaced.Add(next);
            if (parts) spaced.AddRange(Encoding.UTF8.GetBytes(space));
            isText ^= next == '"' && !isEscaped;
            isEscaped = isText && next == '\\' && !isEscaped;
        }

        return [.. spaced];
    }

    private static readonly byte[] Likely = [.. "\"\\{}[]:,0123-. nule"u8, 0, 0x1f, 0x7f, 0xc3, 0xff];

    private static byte[] AsWritten(string sample)
    {
        Assert.Null(EnvelopeReader.Read(Encoding.UTF8.GetBytes(sample), out var envelope));
        var buffer = new ArrayBufferWriter<byte>();
        EnvelopeWriter.Write(buffer, in envelope);
        return buffer.WrittenSpan.ToArray();
    }

    private static string Told(in Envelope envelope) => string.Join(
        '|', envelope.Id, envelope.Version, envelope.Type, envelope.Action, envelope.Sender, envelope.Target, envelope.DeviceId, envelope.Timestamp,
        Encoding.UTF8.GetString(envelope.Payload.Span), Encoding.UTF8.GetString(envelope.Unknown.Span));
}
