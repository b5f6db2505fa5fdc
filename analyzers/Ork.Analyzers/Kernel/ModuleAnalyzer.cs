using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Ork.Analyzers.Kernel;

/// <summary>ORK0203 and ORK0204: modules know each other by their interfaces only, and never wait.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ModuleAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.ModuleClass, Rules.AsyncModule);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.ModuleClass, Rules.AsyncModule)) return;
            var check = new Check(roles, NamesOfServices(start.Compilation.Assembly.GlobalNamespace));
            start.RegisterSyntaxNodeAction(check.Name, SyntaxKind.IdentifierName, SyntaxKind.GenericName);
            start.RegisterOperationAction(check.Chain, OperationKind.Invocation, OperationKind.PropertyReference);
            start.RegisterSymbolAction(check.Method, SymbolKind.Method, SymbolKind.Property, SymbolKind.Field);
            start.RegisterOperationAction(check.Wait, OperationKind.Await, OperationKind.AnonymousFunction, OperationKind.LocalFunction, OperationKind.Loop,
                OperationKind.Using,
                OperationKind.UsingDeclaration);
        });
    }

    /// <summary>Names of the classes in modules that work: only where one of them stands is it asked which type it is.</summary>
    private static HashSet<string> NamesOfServices(INamespaceSymbol space) =>
        new(TypesIn(space).Where(type => Module.Of(type) is not null && Check.IsService(type)).Select(type => type.Name), StringComparer.Ordinal);

    private static IEnumerable<INamedTypeSymbol> TypesIn(INamespaceOrTypeSymbol space) => space.GetMembers().OfType<INamespaceOrTypeSymbol>()
        .SelectMany(member => member is INamedTypeSymbol type ? TypesIn(type).Prepend(type) : TypesIn(member));

    private sealed class Check(RoleReader roles, HashSet<string> services)
    {
        private readonly ConcurrentDictionary<SyntaxTree, HashSet<string>> _aliases = new();

        internal void Name(SyntaxNodeAnalysisContext context)
        {
            var name = ((SimpleNameSyntax)context.Node).Identifier.ValueText;
            if (services.Count == 0 || (!services.Contains(name) && name != "var" && !_aliases.GetOrAdd(context.Node.SyntaxTree, AliasesIn).Contains(name))) return;
            var container = context.ContainingSymbol as INamedTypeSymbol ?? context.ContainingSymbol?.ContainingType;
            if (container is null || (Rules.ModuleClass.Roles & roles.Of(container)) == 0 || Module.Of(container) is not { } own) return;
            if (context.SemanticModel.GetSymbolInfo(context.Node, context.CancellationToken).Symbol is not INamedTypeSymbol type) return;
            if (!IsService(type) || Module.Of(type) is not { } other || other == own) return;
            var offers = type.AllInterfaces.Where(offered => Module.Of(offered) == other).Select(offered => offered.Name).FirstOrDefault();
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.ModuleClass.Descriptor, context.Node.GetLocation(), type.Name, other, own, offers is null ? "" : $" {offers}"));
        }

        /// <summary>A class that is reached through somebody else's member, and so is not named: <c>core.Pumps.Count</c>.</summary>
        internal void Chain(OperationAnalysisContext context)
        {
            var on = context.Operation is IInvocationOperation call ? call.Instance : ((IPropertyReferenceOperation)context.Operation).Instance;
            var container = context.ContainingSymbol.ContainingType;
            if (on is not (IInvocationOperation or IPropertyReferenceOperation or IFieldReferenceOperation) || on.Type is not INamedTypeSymbol type
                || (Rules.ModuleClass.Roles & roles.Of(container)) == 0) return;
            if (Module.Of(container) is not { } own || !IsService(type) || Module.Of(type) is not { } other || other == own) return;
            var holder = on is IInvocationOperation inner ? inner.TargetMethod.ContainingType : ((IMemberReferenceOperation)on).Member.ContainingType;
            if (Module.Of(holder) == own) return;
            var offers = type.AllInterfaces.Where(offered => Module.Of(offered) == other).Select(offered => offered.Name).FirstOrDefault();
            context.Find(roles, Rules.ModuleClass, on, type.Name, other, own, offers is null ? "" : $" {offers}");
        }

        /// <summary>What returns a task or an asynchronous sequence is asynchronous however it is written.</summary>
        internal void Method(SymbolAnalysisContext context)
        {
            var symbol = context.Symbol;
            if (!IsModule(symbol.ContainingType, roles)) return;
            var says = symbol switch
            {
                IMethodSymbol { AssociatedSymbol: not null } or IMethodSymbol { MethodKind: MethodKind.Constructor or MethodKind.StaticConstructor } => null,
                IMethodSymbol { IsAsync: true } => $"{symbol.Name} is async",
                IMethodSymbol method when IsAsynchronous(method.ReturnType) => $"{symbol.Name} returns {method.ReturnType.Name}",
                IPropertySymbol property when IsAsynchronous(property.Type) => $"{symbol.Name} is a {property.Type.Name}",
                IFieldSymbol { IsImplicitlyDeclared: false } field when IsAsynchronous(field.Type) => $"{symbol.Name} is a {field.Type.Name}",
                _ => null,
            };
            if (says is not null) context.Find(roles, Rules.AsyncModule, says);
        }

        internal void Wait(OperationAnalysisContext context)
        {
            var says = context.Operation switch
            {
                IAwaitOperation => "It awaits",
                IAnonymousFunctionOperation { Symbol.IsAsync: true } => "The function is async",
                ILocalFunctionOperation { Symbol.IsAsync: true } => "The function is async",
                IForEachLoopOperation { IsAsynchronous: true } => "It awaits a sequence",
                IUsingOperation { IsAsynchronous: true } => "It awaits a disposal",
                IUsingDeclarationOperation { IsAsynchronous: true } => "It awaits a disposal",
                _ => null,
            };

            // An async method is told once, where it is declared.
            if (says is null || !IsModule(context.ContainingSymbol.ContainingType, roles) || IsInAsync(context.Operation, context.ContainingSymbol)) return;
            context.Find(roles, Rules.AsyncModule, context.Operation, says);
        }

        private static HashSet<string> AliasesIn(SyntaxTree tree) => new(
            tree.GetRoot().DescendantNodes(node => node is CompilationUnitSyntax or BaseNamespaceDeclarationSyntax).OfType<UsingDirectiveSyntax>()
                .Select(directive => directive.Alias?.Name.Identifier.ValueText ?? ""), StringComparer.Ordinal);

        private static bool IsInAsync(IOperation operation, ISymbol container)
        {
            for (var at = operation.Parent; at is not null; at = at.Parent)
            {
                if (at is IAnonymousFunctionOperation { Symbol.IsAsync: true } or ILocalFunctionOperation { Symbol.IsAsync: true }) return true;
            }

            return container is IMethodSymbol { IsAsync: true };
        }

        private static bool IsModule(INamedTypeSymbol? type, RoleReader roles) =>
            type is not null && (Rules.AsyncModule.Roles & roles.Of(type)) != 0 && (Module.Of(type) is not null || Module.TakesTurns(type));

        private static bool IsAsynchronous(ITypeSymbol type) => type is { Name: "Task" or "ValueTask" or "TaskCompletionSource", ContainingNamespace.Name: "Tasks" }
            or { Name: "IAsyncEnumerable" or "IAsyncEnumerator", ContainingNamespace.Name: "Generic" };

        /// <summary>A class that works, as against one that holds data: it is built with ports, machines or other modules, or offers a module's interface.</summary>
        internal static bool IsService(INamedTypeSymbol type)
        {
            if (type.TypeKind != TypeKind.Class || type.IsRecord) return false;
            if (type.IsStatic) return type.Name.EndsWith("Machine", StringComparison.Ordinal);
            var module = Module.Of(type);
            if (type.AllInterfaces.Any(offered => Module.Of(offered) == module && module is not null)) return true;
            return type.InstanceConstructors.Any(constructor => constructor.Parameters.Any(parameter =>
                parameter.Type is { TypeKind: TypeKind.Interface, ContainingNamespace: { } space }
                    && !space.ToDisplayString().StartsWith("System", StringComparison.Ordinal)
                || parameter.Type.Name is "ModuleMachine" or "TimerWheel" or "StateMachine"));
        }
    }
}
