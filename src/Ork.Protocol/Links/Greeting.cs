using System.Buffers;
using System.Text.Json;

namespace Ork.Protocol;

/// <summary>
/// The payload of Hello and Welcome: <c>{"version","role","workerId","name","epoch"}</c>. Unknown members are ignored; an empty payload is a greeting
/// without members.
/// </summary>
/// <param name="Role"><c>kernel</c>, <c>worker</c> or <c>caller</c>, or null where not said.</param>
/// <param name="WorkerId">The Worker's id, where the sender is one.</param>
/// <param name="Name">What the sender calls itself.</param>
/// <param name="Epoch">The kernel's epoch, where the sender is one.</param>
[OrkRecord(1)]
public sealed record Greeting(string? Role, string? WorkerId = null, string? Name = null, long? Epoch = null)
{
    /// <summary>The role of a kernel.</summary>
    public const string Kernel = "kernel";

    /// <summary>The role of a Worker.</summary>
    public const string Worker = "worker";

    /// <summary>The role of a caller.</summary>
    public const string Caller = "caller";

    /// <summary>The longest workerId and deviceId, in UTF-16 units.</summary>
    public const int MaxIdLength = 256;

    /// <summary>Reads a greeting.</summary>
    /// <returns>Null if the bytes are none.</returns>
    public static Greeting? TryRead(ReadOnlyMemory<byte> payload)
    {
        if (payload.IsEmpty) return new Greeting(Role: null);
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            var epoch = root.TryGetProperty("epoch", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
                ? number
                : (long?)null;
            return new Greeting(Text(root, "role"), Text(root, "workerId"), Text(root, "name"), epoch);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The greeting's bytes.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("version"u8, Envelope.ProtocolVersion);
            if (Role is not null) json.WriteString("role"u8, Role);
            if (WorkerId is not null) json.WriteString("workerId"u8, WorkerId);
            if (Name is not null) json.WriteString("name"u8, Name);
            if (Epoch is { } epoch) json.WriteNumber("epoch"u8, epoch);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
