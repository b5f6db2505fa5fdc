// role: Kernel
using System.Buffers;
using System.Text.Json;
using Ork;
//# reports x2: a row with neither
record PumpRow(string Id);
//# reports: a row with a reader and no version
record PumpRow(string Id);
static class Reader { internal static PumpRow Read(string line) => new(line); }
//# reports: a row with a version and no reader
[OrkRecord(1)] record PumpRow(string Id);
//# reports: a version of nought
[OrkRecord(0)] record PumpRow(string Id) { internal static PumpRow Parse(string line) => new(line); }
//# reports x2: what a commit takes
record Pump(string Id);
class CommitBatch { internal List<Pump> Pumps { get; } = []; }
//# reports: what a commit takes and an image holds, without a version
record Pump(string Id);
class CommitBatch { internal List<Pump> Pumps { get; } = []; }
record PumpImage(IReadOnlyList<Pump> Pumps);
//# reports x2: a payload
record struct PumpPayload(string Id);
//# reports: a payload with a reader and no version
readonly record struct PumpPayload(string Id) { internal static bool TryRead(ReadOnlyMemory<byte> bytes, out PumpPayload payload) { payload = new(bytes.Length.ToString("D", null)); return true; } }
//# reports x2: a record that writes itself
record Snapshot(int Of) { internal byte[] ToBytes() => [(byte)Of]; }
//# reports x2: a record that writes itself into a buffer
record Snapshot(int Of) { internal void WriteTo(IBufferWriter<byte> output) => output.Write(new[] { (byte)Of }); }
//# reports x2: what a serializer is handed
class Summary { public int Count { get; set; } }
class C { byte[] Go(Summary of) => JsonSerializer.SerializeToUtf8Bytes(of); }
//# reports: what a serializer is handed and hands back, without a version
class Summary { public int Count { get; set; } }
class C { byte[] Go(Summary of) => JsonSerializer.SerializeToUtf8Bytes(of); Summary? Back(byte[] of) => JsonSerializer.Deserialize<Summary>(of); }
//# reports: an envelope without a version, in a partial declaration
partial record Envelope(string Id);
static class EnvelopeReader { internal static string? Read(ReadOnlyMemory<byte> bytes, out Envelope envelope) { envelope = new("x"); return null; } }
//# reports x2: in a generic list in a private field
sealed class TankRow { internal string Id = ""; }
class C { readonly List<TankRow> _rows = []; int Go() => _rows.Count; }
//# silent: a row with both
[OrkRecord(1)] record PumpRow(string Id);
static class Reader { internal static PumpRow ReadPump(string line) => new(line); }
//# silent: a version as a constant
record PumpRow(string Id) { internal const int Version = 2; internal static PumpRow Parse(string line) => new(line); }
//# silent: a format version as a property
record PumpPayload(string Id, int FormatVersion) { internal static PumpPayload? TryRead(string line) => line == "" ? null : new(line, 1); }
//# silent: a reader in another assembly, named
[OrkRecord(1, ReadBy = "the operator's tools")] record PumpRow(string Id);
//# silent: loaded with the image
[OrkRecord(3)] record Pump(string Id);
class CommitBatch { internal List<Pump> Pumps { get; } = []; }
record PumpImage(IReadOnlyList<Pump> Pumps);
//# silent: read by a serializer
[OrkRecord(1)] class Summary { public int Count { get; set; } }
class C { byte[] Go(Summary of) => JsonSerializer.SerializeToUtf8Bytes(of); Summary? Back(byte[] of) => JsonSerializer.Deserialize<Summary>(of); }
//# silent: a record of the kernel's memory
record PumpView(string Id, int Count);
//# silent: a helper called Payload that is static
static class CommandPayload { internal static byte[] ToBytes() => []; }
//# silent: a reader, which is a ref struct
ref struct PumpPayload { internal int Of; }
//# silent: anonymous answers
class C { byte[] Go(int count) => JsonSerializer.SerializeToUtf8Bytes(new { count, version = 1 }); }
//# silent: the framework's types in a serializer
class C { byte[] Go(Dictionary<string, int> of) => JsonSerializer.SerializeToUtf8Bytes(of); }
//# silent Worker: a Worker's own rows
record PumpRow(string Id);
//# silent: rows and payloads of the kernel as used
using Ork.Kernel;
class C { void Go(CommitBatch batch) => batch.Devices.Add(new DeviceRow("d", "w", default)); }
//# silent: a word that ends like a row
class Arrow { internal int Of; }
class Row { internal int Of; }
