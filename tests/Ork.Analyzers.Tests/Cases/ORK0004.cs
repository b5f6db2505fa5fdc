// role: Kernel
//# reports: a file read
class C { string Go() => File.ReadAllText("x"); }
//# reports: File by using static
using static System.IO.File;
class C { bool Go() => Exists("x"); }
//# reports: a directory through an alias
using Dir = System.IO.Directory;
class C { void Go() => Dir.CreateDirectory("x"); }
//# reports: a reader of a path
class C { TextReader Go() => new StreamReader("x"); }
//# reports: a file stream in a lambda
class C { Func<Stream> Go = () => new FileStream("x", FileMode.Open); }
//# reports: Console in an expression body
class C { void Go() => Console.WriteLine("x"); }
//# reports: Console.Error as a value
class C { TextWriter Go => Console.Error; }
//# reports: an environment variable
class C { string? Go() => Environment.GetEnvironmentVariable("X"); }
//# reports: the number of processors
class C { int Go { get; } = Environment.ProcessorCount; }
//# reports: a socket
using System.Net.Sockets;
class C { Socket Go() => new(SocketType.Stream, ProtocolType.Tcp); }
//# reports: an HTTP client
class C { readonly System.Net.Http.HttpClient _http = new(); }
//# reports: a name looked up
class C { object Go() => System.Net.Dns.GetHostAddresses("x"); }
//# reports: a process
class C { object? Go() => System.Diagnostics.Process.Start("x"); }
//# reports: the base directory
class C { string Go() => AppContext.BaseDirectory; }
//# reports: how much memory there is
class C { long Go<T>() => GC.GetTotalMemory(false); }
//# reports: the time zone of the machine
class C { TimeZoneInfo Go() => TimeZoneInfo.Local; }
//# reports: a database
class C { object Go() => new Microsoft.Data.Sqlite.SqliteConnection("Data Source=x"); }
//# reports: native code
using System.Runtime.InteropServices;
static class Native { [DllImport("c")] internal static extern int getpid(); }
class C { int Go() => Native.getpid(); }
//# reports: a chain into a type of role Edge
[Ork.OrkRole(Ork.OrkRole.Edge)] static class Outside { internal static string Read() => File.ReadAllText("x"); }
class C { string Go() => Outside.Read(); }
//# reports: a full path, which is the process's own
class C { string Go(string path) => Path.GetFullPath(path); }
//# silent: paths as text
class C { string Go(string a) => Path.Combine(a, "b") + Path.GetExtension(a) + Path.GetFileName(a); }
//# silent: memory streams and readers of text
class C { string Go() { using var stream = new MemoryStream(); using var reader = new StreamReader(stream); return reader.ReadToEnd() + new StringReader("x").ReadLine(); } }
//# silent: Environment.NewLine
class C { string Go() => "a" + Environment.NewLine; }
//# silent: addresses as data
class C { object Go() => System.Net.IPAddress.Parse("127.0.0.1").ToString() + new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1); }
//# silent: a socket error as data
class C { bool Go(System.Net.Sockets.SocketException e) => e.SocketErrorCode == System.Net.Sockets.SocketError.ConnectionReset; }
//# silent: the store's port
using Ork.Kernel;
class C(IKernelStore store) { ValueTask Go(CommitBatch batch) => store.CommitAsync(batch); }
//# silent: the network's port
using Ork.Protocol;
class C(INetwork network) { ValueTask<IConnection> Go(LinkEndpoint to, CancellationToken token) => network.ConnectAsync(to, null, token); }
//# silent: keeping an object alive
class C { void Go(object of) { GC.KeepAlive(of); GC.SuppressFinalize(of); } }
//# silent: assertions
class C { void Go(bool holds) => System.Diagnostics.Debug.Assert(holds); }
//# silent: a stream that is handed in
class C { void Go(Stream stream, TextWriter writer) { stream.WriteByte(1); writer.WriteLine("x"); } }
//# silent: a class of one's own called File
namespace Mine { static class File { internal static string ReadAllText(string of) => of; } class C { string Go() => File.ReadAllText("x"); } }
//# silent Worker: a Worker reads its devices' files
class C { string Go() => File.ReadAllText("x"); }
//# silent Simulation: a simulation writes its reports
class C { void Go() => Console.WriteLine(Environment.ProcessorCount); }
//# silent: a method through the port that an Edge type implements
interface IClock { long Now(); }
[Ork.OrkRole(Ork.OrkRole.Edge)] class Real : IClock { public long Now() => File.GetLastWriteTimeUtc("x").Ticks; }
class C(IClock clock) { long Go() => clock.Now(); }
