using System.Globalization;
using Microsoft.Data.Sqlite;
using Ork.Kernel;
using Ork.Protocol;
using SQLitePCL;

namespace Ork.Storage.Sqlite;

/// <summary>
/// Opens the store in a data directory: takes the directory's lock, checks the file, migrates it, raises the epoch and loads it.
/// </summary>
/// <param name="directory">The data directory; made if it does not exist.</param>
/// <param name="fullCheck">
/// True: every open checks the whole file (<c>integrity_check</c>). False: files above 256 MiB get the cheaper <c>quick_check</c>, which leaves out the
/// comparison of indexes with their tables.
/// </param>
public sealed class SqliteKernelStoreOpener(string directory, bool fullCheck = false) : IKernelStoreOpener
{
    /// <summary>The database's name in the data directory.</summary>
    public const string FileName = "ork.db";

    private const string LockName = "ork.lock";
    private const string Rescued = "ork.rescued-";
    private const long FullCheckLimitBytes = 256L * 1024 * 1024;

    /// <inheritdoc/>
    public async ValueTask<IKernelStore> OpenAsync()
    {
        // Opening reads the whole store; the caller's loop must not stand still meanwhile.
        return await Task.Factory.StartNew(Open, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>
    /// Raises the epoch far past the store's own, so that Workers obey the kernel of this store over every other that ran before: for a store that was restored from
    /// a backup or begun anew, whose epoch lies behind what the Workers have seen (<c>ERR_STALE_EPOCH</c>). The kernel must not run. A store of an older schema is
    /// migrated, as on every opening.
    /// </summary>
    /// <param name="by">By how much, at least 1: more than kernels were started since.</param>
    /// <returns>The epoch before and after; the next kernel's is one more.</returns>
    /// <exception cref="StoreException">There is no store, a kernel holds it, or it cannot be opened.</exception>
    public async Task<(long Before, long After)> SupersedeAsync(long by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, 1);
        return await Task.Factory.StartNew(() => Supersede(by), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private (long Before, long After) Supersede(long by)
    {
        if (!File.Exists(Path.Combine(directory, FileName))) throw new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, $"{directory}: there is no {FileName}"));
        return Guarded((connection, held) =>
        {
            using (held)
            using (connection)
            {
                var after = RaiseEpoch(connection, by);
                return (after - by, after);
            }
        });
    }

    private SqliteKernelStore Open() => Guarded((connection, held) =>
    {
        // What looks for lost files lives as long as the store, and so would all that it knows of the image.
        var epoch = RaiseEpoch(connection, 1);
        var path = connection.DataSource;
        var files = new FilesInPlace(path, path + "-wal");
        return new SqliteKernelStore(connection, held, ImageReader.Read(connection, epoch), () => files.FindLost() is { } name ? Lose(connection, name, epoch) : null);
    });

    /// <summary>SQLite still holds all of a store whose files are gone, until it is closed: it is written to a new file.</summary>
    private StoreException Lose(SqliteConnection connection, string name, long epoch)
    {
        var rescued = string.Create(CultureInfo.InvariantCulture, $"{Rescued}{epoch}.db");
        string kept;
        try
        {
            using var command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $path";
            command.Parameters.AddWithValue("$path", Path.Combine(directory, rescued));
            command.ExecuteNonQuery();
            kept = $"all that it held is in {rescued}";
        }
        catch (SqliteException e)
        {
            kept = $"it could not be rescued: {e.Message}";
        }

        return new StoreException(Refusal.With(ErrorCodes.StoreLost, $"{directory}: {name} was removed or replaced; {kept}"));
    }

    /// <summary>Hands on the store's connection and the directory's lock; both are given back where that fails.</summary>
    private T Guarded<T>(Func<SqliteConnection, FileStream, T> use)
    {
        FileStream? held = null;
        SqliteConnection? connection = null;
        try
        {
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            held = Lock();
            RequireNothingRescued();
            connection = Connect(Path.Combine(directory, FileName));
            var version = Check(connection);
            Migrations.Apply(connection, version);
            return use(connection, held);
        }
        catch (Exception e)
        {
            connection?.Dispose();
            held?.Dispose();
            throw e switch
            {
                StoreException => e,
                SqliteException sqlite => Translate(sqlite),
                _ => new StoreException(Refusal.With(ErrorCodes.StoreUnavailable, $"{directory}: {e.Message}"), e),
            };
        }
    }

    /// <summary>Whoever restarts a kernel whose store was taken away, a supervisor as a rule, must not have it begin an empty one.</summary>
    private void RequireNothingRescued()
    {
        if (Directory.EnumerateFiles(directory, Rescued + "*.db").FirstOrDefault() is not { } left) return;
        throw new StoreException(Refusal.With(
            ErrorCodes.StoreLost, $"{left} is all that the store held when its files were removed or replaced: let it take the place of {FileName}, without {FileName}-wal, or move it away to go on without it"));
    }

    internal static StoreException Translate(SqliteException e) => new(
        Refusal.With(
            e.SqliteErrorCode switch
            {
                raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => ErrorCodes.StoreDamaged,
                raw.SQLITE_BUSY or raw.SQLITE_LOCKED => ErrorCodes.StoreLocked,
                _ => ErrorCodes.StoreUnavailable,
            },
            e.Message),
        e);

    /// <summary>The lock lives as long as the process: a kernel killed with it leaves the directory free.</summary>
    private FileStream Lock()
    {
        var path = Path.Combine(directory, LockName);
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new StoreException(Refusal.With(ErrorCodes.StoreLocked, directory), e);
        }
    }

    private static SqliteConnection Connect(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            DefaultTimeout = 1,
        }.ConnectionString);
        try
        {
            connection.Open();
            Run(connection, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000; "
                + "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA foreign_keys = OFF;");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private int Check(SqliteConnection connection)
    {
        var version = (int)Scalar(connection, "PRAGMA user_version");
        if (version > Migrations.Latest)
        {
            throw new StoreException(Refusal.With(ErrorCodes.StoreNewer, $"schema {version}, this kernel knows {Migrations.Latest}"));
        }

        var bytes = new FileInfo(connection.DataSource).Length;
        var check = fullCheck || bytes <= FullCheckLimitBytes ? "integrity_check" : "quick_check";
        using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA {check}(1)";
        var verdict = (string)command.ExecuteScalar()!;
        if (verdict != "ok") throw new StoreException(Refusal.With(ErrorCodes.StoreDamaged, verdict));
        return version;
    }

    private static long RaiseEpoch(SqliteConnection connection, long by)
    {
        Run(connection, string.Create(CultureInfo.InvariantCulture, $"UPDATE meta SET value = value + {by} WHERE name = 'epoch'"));
        return Scalar(connection, "SELECT value FROM meta WHERE name = 'epoch'");
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
